/** Where crash reports are: `<data>/black-box/<child>/<when>.json`. Pure. */

/** The folder, in the data directory. */
export const BLACK_BOX = 'black-box';

/** The folder of one child, inside that folder. */
export function crashFolder(name: string): string {
  return name.replace(':', '-');
}
