// The program: this project's crates as WebAssembly, packed into the page. It is asked in JSON and answers in JSON.

/** Unpacks the program; the result answers questions. */
async function openProgram() {
  const packed = Uint8Array.from(atob(document.getElementById('program').textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  const module = await WebAssembly.compile(await new Response(stream).arrayBuffer());
  // What wasm-bindgen would import is for its own tool, and nothing here calls it.
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = () => { throw new Error(`${name} was called`); };
  }
  const open = async () => (await WebAssembly.instantiate(module, imports)).exports;
  let door = await open();
  const call = (name, ...values) => {
    const [, found] = Object.entries(door).find(([key]) => key === name || key.startsWith(`${name}_`));
    return found(...values) >>> 0;
  };
  return (question) => {
    try {
      const text = new TextEncoder().encode(JSON.stringify(question));
      const at = call('question', text.length);
      new Uint8Array(door.memory.buffer, at, text.length).set(text);
      const length = call('answer');
      const answer = JSON.parse(new TextDecoder().decode(new Uint8Array(door.memory.buffer, call('address'), length)));
      if (answer.error) throw new Error(answer.error);
      return answer;
    } catch (error) {
      // A panic leaves a program that cannot be trusted.
      if (error instanceof WebAssembly.RuntimeError) open().then((fresh) => { door = fresh; });
      throw error;
    }
  };
}
