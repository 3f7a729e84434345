/** Where crash reports are: `<data>/black-box/<child>/<when>.json`. Pure. */

/** The folder, in the data directory. */
export const BLACK_BOX = 'black-box';

/** Of one child, in that folder. */
export function crashFolder(name: string): string {
  return name.replace(':', '-');
}
