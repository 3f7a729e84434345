/** The page's address holds all that an operator has chosen. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EVERYTHING, readRoute, routeAddress, type Route } from '../../../web/route.js';

function again(route: Route): Route {
  const { search, hash } = new URL(routeAddress(route), 'http://vigil/');
  return readRoute({ search, hash });
}

describe('the address', () => {
  const rows: readonly [string, Route, string][] = [
    ['of the whole wall is that of the page', { choice: EVERYTHING }, './'],
    ['of a camera', { choice: EVERYTHING, camera: 'gate' }, './#/camera/gate'],
    [
      'of a choice, in one order however it was made',
      {
        choice: {
          ...EVERYTHING,
          conditions: ['quarantined', 'offline'],
          tags: ['north', 'a&b'],
          search: 'x y',
        },
      },
      './?state=offline,quarantined&tag=north&tag=a%26b&q=x+y',
    ],
    [
      'of a camera keeps the choice to go back to',
      { choice: { ...EVERYTHING, sort: 'name', size: 'small' }, camera: 'a_b-c' },
      './?sort=name&size=small#/camera/a_b-c',
    ],
  ];
  for (const [what, route, address] of rows)
    test(what, () => {
      assert.equal(routeAddress(route), address);
      const { choice, camera } = again(route);
      assert.deepEqual(
        { ...choice, conditions: [...choice.conditions].sort() },
        { ...route.choice, conditions: [...route.choice.conditions].sort() },
      );
      assert.equal(camera, route.camera);
    });

  test('with values that the page does not know is read as if they were absent', () => {
    const { choice } = readRoute({
      search: '?state=offline,nonsense&sort=luck&size=9&tag=&q=',
      hash: '#/elsewhere',
    });
    assert.deepEqual(choice, { ...EVERYTHING, conditions: ['offline'] });
  });

  test('that is not well-formed names a camera that does not exist', () => {
    assert.equal(readRoute({ search: '', hash: '#/camera/%E0%A4%A' }).camera, '%E0%A4%A');
  });
});
