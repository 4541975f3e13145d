"""Python in the page: Pyodide, NumPy, Matplotlib and optcore as files of the site, and the scripts that run them.

assets/      the official files, as they were published, with their licences; fetch.py gets and checks them
lean.py      what of them the site carries
extension.py the Sphinx side: writes _static/live when the book is built
python.js    the page's side: start, run, stop
worker.js    Python's side, with room.py inside it
cells.js     Run and Edit on the code cells of a page
editor/      CodeMirror in one file
exercises.js the buttons on the pages of exercises; exercises.py, its Sphinx side
answering.js what they do: editors, checks, hints and hand-in, loaded when the first is used
look.js      their style sheet, loaded with what needs it
answers.py   what the page's Python says about an answer
own.js       the button below each explorer; own_panel.js, the editors that it opens; own.py, what Python makes of what
             is written there
here.js      the exercises of a lesson, opened at its end
"""
