// What is used of WebAssembly, whose types come with those of browsers: https://webassembly.github.io/spec/js-api/#memories
declare namespace WebAssembly {
  class Memory {
    /** In pages of 64 KiB. */
    constructor(descriptor: { initial: number; maximum: number; shared: true });
    readonly buffer: SharedArrayBuffer;
  }
}
