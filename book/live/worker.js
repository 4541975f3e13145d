/* Python's side of the page: started by python.js, which sends it all its files.

in   {start: {name: Blob}, base}        base: address of the folder of the files
     {run: id, code, name, figures}     figures: figures.zip as a Blob, where the page has it already
out  {ready: true} or {failed: text}
     {run: id, output}                  as room.py sends them
     {run: id, done}                    what room.py returned, or {error: {kind: "fatal", line: null, text}}
     {loading: "figures"}               Python asks for Matplotlib; nothing else happens until it is there

To stop a cell, end the worker and start another one: without special headers from the server no message gets through
to Python while it runs. */
const SITE = "/lib/python3.12/site-packages";
let python, room, base, figures;

const unpack = (buffer) => python.unpackArchive(buffer, "zip", { extractDir: SITE });
const module = (blob) => import(URL.createObjectURL(new Blob([blob], { type: "text/javascript" })));

/* While Python waits for the import, so must this. */
function loadFigures() {
  if (figures) return unpack(new FileReaderSync().readAsArrayBuffer(figures));
  postMessage({ loading: "figures" });
  const request = new XMLHttpRequest();
  request.open("GET", base + "figures.zip", false);
  request.responseType = "arraybuffer";
  request.send();
  if (request.status !== 200)
    throw new Error("Matplotlib could not be loaded; look at the connection, then try again.");
  unpack(request.response);
}

async function start(files) {
  const types = { wasm: "application/wasm", zip: "application/zip" };
  const answer = (name) => new Response(files[name], { headers: { "Content-Type": types[name.split(".").at(-1)] } });
  globalThis.fetch = async (url) => {
    const [name] = String(url).split(/[/?]/).slice(-1);
    if (name === "pyodide-lock.json") return Response.json(LOCK);
    if (!files[name]) throw new TypeError(`${name} is not a file of the page's Python`);
    return answer(name);
  };
  await module(files["pyodide.asm.js"]); // makes _createPyodideModule, which Pyodide then need not load
  const { loadPyodide } = await module(files["pyodide.mjs"]);
  python = await loadPyodide({ indexURL: base, lockFileURL: base + "pyodide-lock.json" });
  for (const name of ["numpy.zip", "optcore.zip"]) unpack(await files[name].arrayBuffer());
  for (const name of ["room.py", "room_backend.py"]) python.FS.writeFile(`${SITE}/${name}`, await files[name].text());
  room = python.pyimport("room");
  room.begin(loadFigures);
}

const LOCK = {
  info: { abi_version: "2024_0", arch: "wasm32", platform: "emscripten_3_1_58", python: "3.12.7", version: "0.27.7" },
  packages: {},
};

addEventListener("message", async ({ data }) => {
  if (data.start) {
    base = data.base;
    try {
      await start(data.start);
      postMessage({ ready: true });
    } catch (error) {
      postMessage({ failed: String(error?.message ?? error) });
    }
    return;
  }
  const { run, code, name } = data;
  figures = data.figures;
  let done;
  try {
    done = JSON.parse(room.run(code, name, (output) => postMessage({ run, output: JSON.parse(output) })));
  } catch (error) {
    done = { error: { kind: "fatal", line: null, text: String(error?.message ?? error) } };
  }
  postMessage({ run, done });
});
