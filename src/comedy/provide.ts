/** Makes `require` of a file return existing exports. */
import Module from 'node:module';

/** @param file its absolute path, symbolic links followed */
export function provide(file: string, exports: unknown): void {
  require.cache[file] = Object.assign(new Module(file), { filename: file, loaded: true, exports });
}
