/** The parameter sets that a stream has sent, by id; a later one replaces an earlier one. */

export class ParameterSets<
  Sequence extends { readonly id: number },
  Picture extends { readonly id: number; readonly sequenceId: number },
> {
  readonly #sequences = new Map<number, Sequence>();
  readonly #pictures = new Map<number, Picture>();

  keepSequence(sequence: Sequence): void {
    this.#sequences.set(sequence.id, sequence);
  }

  keepPicture(picture: Picture): void {
    this.#pictures.set(picture.id, picture);
  }

  /** The sets a slice refers to; undefined if one of them was not sent. */
  of(pictureId: number): { readonly picture: Picture; readonly sequence: Sequence } | undefined {
    const picture = this.#pictures.get(pictureId);
    const sequence = this.#sequences.get(picture?.sequenceId ?? -1);
    return picture === undefined || sequence === undefined ? undefined : { picture, sequence };
  }
}
