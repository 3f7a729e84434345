/** Where a configuration is read from and written to when it is edited. */
import { readBoundedBytes } from '../content';
import { replaceUnchanged } from './write';

export interface Store {
  /** @throws ErrnoException of the file system */
  read(): Promise<Buffer>;
  /**
   * @param before what was read
   * @throws EditFault
   */
  replace(before: Buffer, after: Buffer): Promise<void>;
}

export function fileStore(file: string): Store {
  return {
    read: async () => readBoundedBytes(file),
    replace: async (before, after) => replaceUnchanged(file, before, after),
  };
}
