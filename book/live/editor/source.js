/* The editor of Python in the page: CodeMirror, as small as it gets. `make editor` makes editor.js of this file.

edit(host, { code, label, changed, run }) puts an editor into an element and gives back
    .code           what stands in it; may be set, which calls nothing
    .focus(at)      the keyboard goes there; `at`: {x, y} of a click, in the window
    .mark(line)     marks a line, from 1, until the code changes; null marks none
    .close()        takes it away
`changed(code)` is called after each change by the reader, `run()` for Shift-Enter and Ctrl-Enter.
Tab indents; Escape, then Tab, leaves, which a line below says. The colours are those of the page's code.
paint(code) gives code that is only shown, in the same colours, as a document fragment. */
import { closeBrackets, closeBracketsKeymap, insertBracket } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { pythonLanguage } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { Annotation, EditorState, Prec, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, keymap, lineNumbers } from "@codemirror/view";
import { highlightCode, tags as t } from "@lezer/highlight";

const SYMBOLS = ["_", "[", "]", "(", ")", "**", "=", ":"];
const UNIT = "    ";

// The classes that Pygments writes into the page's code, so that one style sheet colours both.
const colours = HighlightStyle.define([
  { tag: [t.keyword, t.definitionKeyword, t.controlKeyword], class: "k" },
  { tag: t.moduleKeyword, class: "kn" },
  { tag: t.operatorKeyword, class: "ow" },
  { tag: [t.bool, t.null], class: "kc" },
  { tag: t.number, class: "mi" },
  { tag: [t.string, t.special(t.string)], class: "s2" },
  { tag: t.comment, class: "c1" },
  { tag: [t.operator, t.derefOperator], class: "o" },
  { tag: t.punctuation, class: "p" },
  { tag: [t.function(t.definition(t.variableName))], class: "nf" },
  { tag: t.definition(t.className), class: "nc" },
]);

const look = EditorView.theme({
  "&": { background: "none", color: "inherit" },
  "&.cm-focused": { outline: "none" }, // the frame around shows it
  ".cm-scroller": { fontFamily: "inherit", lineHeight: "inherit" },
  ".cm-content": { caretColor: "currentColor", padding: "0.75em 0" },
  ".cm-line": { padding: "0 0.75em" },
  ".cm-gutters": { background: "none", border: "none", color: "var(--pst-color-text-muted)" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 0 0 0.75em", minWidth: "2.2em" },
  "&.cm-focused .cm-matchingBracket": { background: "none", outline: "1px solid currentColor" },
  "&.cm-focused .cm-nonmatchingBracket": { background: "none" },
});

const marking = StateEffect.define();
const marked = StateField.define({
  create: () => Decoration.none,
  update(lines, change) {
    for (const effect of change.effects)
      if (effect.is(marking)) {
        const at = effect.value && Math.min(effect.value, change.state.doc.lines);
        return at
          ? Decoration.set(Decoration.line({ class: "oc-at-fault" }).range(change.state.doc.line(at).from))
          : Decoration.none;
      }
    return change.docChanged ? Decoration.none : lines;
  },
  provide: (field) => EditorView.decorations.from(field),
});
const fromOutside = Annotation.define();

/** Indents the lines of a selection; without one, inserts spaces at the cursor, up to the next fourth column. */
const indent = (view) => {
  const { state } = view;
  if (!state.selection.main.empty) return indentMore(view);
  const { head } = state.selection.main;
  const column = head - state.doc.lineAt(head).from;
  view.dispatch(state.replaceSelection(UNIT.slice(column % UNIT.length)), { userEvent: "input", scrollIntoView: true });
  return true;
};
const type = (view, text) => {
  const { state } = view;
  view.dispatch(insertBracket(state, text) ?? state.replaceSelection(text), {
    userEvent: "input.type",
    scrollIntoView: true,
  });
};

export function paint(code) {
  const shown = document.createDocumentFragment();
  const put = (text, classes) =>
    shown.append(
      classes ? Object.assign(document.createElement("span"), { className: classes, textContent: text }) : text,
    );
  highlightCode(code, pythonLanguage.parser.parse(code), colours, put, () => put("\n"));
  return shown;
}

export function edit(host, { code = "", label, changed = () => {}, run }) {
  const element = (tag, props, ...children) => {
    const made = Object.assign(document.createElement(tag), props);
    made.append(...children);
    return made;
  };
  const how = element("p", {
    className: "oc-editor-how",
    id: `oc-how-${crypto.getRandomValues(new Uint32Array(1))[0]}`,
  });
  how.textContent = `Tab indents; Escape, then Tab, leaves the editor.${run ? " Shift-Enter runs it." : ""}`;

  const running = run && [
    { key: "Shift-Enter", run: () => (run(), true) },
    { key: "Mod-Enter", run: () => (run(), true) },
  ];
  const view = new EditorView({
    doc: code,
    extensions: [
      Prec.highest(
        keymap.of([
          ...(running ?? []),
          { key: "Tab", run: indent, shift: indentLess },
          { key: "Escape", run: (it) => (it.setTabFocusMode(true), true) },
        ]),
      ),
      keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap]),
      history(),
      lineNumbers(),
      pythonLanguage,
      indentUnit.of(UNIT),
      EditorState.tabSize.of(UNIT.length),
      closeBrackets(),
      bracketMatching(),
      syntaxHighlighting(colours),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({
        "aria-label": label,
        "aria-describedby": how.id,
        autocapitalize: "off",
        autocorrect: "off",
        spellcheck: "false",
      }),
      marked,
      look,
      EditorView.updateListener.of((update) => {
        if (!update.docChanged) return;
        update.view.setTabFocusMode(false);
        if (!update.transactions.some((it) => it.annotation(fromOutside))) changed(update.state.doc.toString());
      }),
      EditorView.domEventHandlers({
        focus: (_, it) => it.setTabFocusMode(false),
      }),
    ],
  });

  const key = (name, words, act) => {
    const made = element("button", { type: "button", textContent: name });
    made.setAttribute("aria-label", words);
    made.addEventListener("pointerdown", (event) => event.preventDefault()); // the editor, and its keyboard, stay
    made.addEventListener("click", () => (act(), view.focus()));
    return made;
  };
  const row = element("div", { className: "oc-symbols" });
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", "Symbols to insert");
  row.append(
    key("⇥", "indent", () => indent(view)),
    ...SYMBOLS.map((text) => key(text, `insert ${text}`, () => type(view, text))),
  );
  const frame = element("div", { className: "oc-editor highlight" }, row, view.dom, how);
  frame.addEventListener("keydown", (event) => event.stopPropagation()); // the page has keys too: / is its search
  host.append(frame);

  return {
    get code() {
      return view.state.doc.toString();
    },
    set code(text) {
      if (text === this.code) return;
      view.dispatch({
        changes: { from: 0, to: view.state.doc.length, insert: text },
        annotations: fromOutside.of(true),
      });
    },
    focus(at) {
      const head = at && view.posAtCoords(at, false);
      if (head != null) view.dispatch({ selection: { anchor: head } });
      view.focus();
    },
    mark: (line) => view.dispatch({ effects: marking.of(line) }),
    close() {
      view.destroy();
      frame.remove();
    },
  };
}
