/** Two nodes' files are saved at the same moment with different edits: one becomes the fleet's, and the author of the other is notified. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Node } from '../fleet';
import { waitUntil } from '../process';
import type { FleetRow } from './fleet-rows';
import { passed, type FleetStage } from './fleet-stage';

/** The time within which every node applies an edit. */
const WITHIN_MS = 2000;
/** The time within which a second edit would have been published too. */
const AFTER_MS = 3000;

interface Edit {
  readonly node: Node;
  /** In this edit alone. */
  readonly tag: string;
  /** Lines that the node had logged before. */
  readonly logged: number;
}

interface ActorsFile {
  readonly cameras: readonly { readonly id: string; readonly tags?: readonly string[] }[];
}

export const twoEditsAtOnce: FleetRow = {
  name: 'two-edits-at-once',
  isStill: true,
  isWhole: true,
  run: async (stage, { fault }) => {
    const before = Math.max(...(await revisions(stage)));
    const edits = stage.nodes.slice(0, 2).map((node, i) => editOf(node, `edit-${before}-${i}`));
    const files = edits.map(({ node, tag }, i) => tagged(textOf(node), i, tag));
    for (const [i, { node }] of edits.entries()) node.daemon.edit(files[i]);
    const savedMs = performance.now();
    const isOver = async () =>
      (await revisions(stage)).every((revision) => revision > before) &&
      new Set(stage.nodes.map((node) => tagsIn(node, edits))).size === 1;
    await waitUntil('every node and its file have the same edit', isOver).catch((error: unknown) =>
      fault((error as Error).message),
    );
    const tookMs = performance.now() - savedMs;
    if (tookMs > WITHIN_MS) fault(`it took ${Math.round(tookMs)} ms until every node had the same edit`);
    await passed(AFTER_MS);
    const after = await revisions(stage);
    if (after.some((revision) => revision !== before + 1))
      fault(`revision ${before} was followed by ${after.join(', ')} on the nodes`);
    const [won = ''] = stage.nodes.map((node) => tagsIn(node, edits));
    const lost = edits.filter(({ tag }) => tag !== won);
    if (lost.length !== 1 || stage.nodes.some((node) => tagsIn(node, edits) !== won))
      fault(`files have the edits "${stage.nodes.map((node) => tagsIn(node, edits)).join('", "')}"`);
    for (const edit of edits) {
      const isLost = lost.includes(edit);
      if (isTold(edit) === isLost) continue;
      fault(
        `node ${edit.node.name} ${isLost ? 'was not told that its edit lost' : 'was told that its edit lost'}`,
      );
    }
  },
};

function editOf(node: Node, tag: string): Edit {
  return { node, tag, logged: node.daemon.log.length };
}

/** The revision by which each node runs. */
async function revisions({ nodes }: FleetStage): Promise<number[]> {
  const told = await Promise.all(nodes.map(({ daemon }) => daemon.status()));
  return told.map(({ configuration }) => configuration.fleet?.revision ?? 0);
}

function textOf({ daemon }: Node): string {
  return readFileSync(path.join(daemon.dir, 'actors.json'), 'utf8');
}

/** The file with a tag for one of its cameras, which restarts nothing. */
function tagged(text: string, camera: number, tag: string): ActorsFile {
  const file = JSON.parse(text) as ActorsFile;
  return {
    ...file,
    cameras: file.cameras.map((each, i) => (i === camera ? { ...each, tags: [tag] } : each)),
  };
}

/** The tags of these edits that are in a node's file. */
function tagsIn(node: Node, edits: readonly Edit[]): string {
  const text = textOf(node);
  return edits
    .map(({ tag }) => tag)
    .filter((tag) => text.includes(`"${tag}"`))
    .join(' and ');
}

/** The log says that the file was replaced, and where its edit is kept. */
function isTold({ node, tag, logged }: Edit): boolean {
  const said = node.daemon.log.slice(logged).filter(({ code }) => code === 'fleet-replaced');
  const copies = said.map(({ message }) => / is kept in (.+)$/.exec(message)?.[1]);
  return copies.some((copy) => copy !== undefined && readFileSync(copy, 'utf8').includes(`"${tag}"`));
}
