/** Keys written twice in one object: JSON.parse silently keeps the last. */
import { visit } from 'jsonc-parser';
import type { ConfigFault } from './faults';
import { jsonPath } from './paths';

/** @param text valid JSON */
export function duplicateKeys(text: string): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const open: Set<string>[] = [];
  visit(text, {
    onObjectBegin: () => {
      open.push(new Set());
    },
    onObjectEnd: () => {
      open.pop();
    },
    onObjectProperty: (key, _offset, _length, line, _character, pathSupplier) => {
      const keys = open.at(-1);
      if (keys?.has(key) === true)
        faults.push({
          path: jsonPath([...pathSupplier(), key]),
          problem: `is written twice, the second time in line ${line + 1}; remove one of them`,
        });
      keys?.add(key);
    },
  });
  return faults;
}
