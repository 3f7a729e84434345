/** How an RTSP feed is received if the choice of transport is automatic. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  afterFault,
  afterPacket,
  leavesUdp,
  type TransportChoice,
} from '../../../../../src/actors/camera/capture/transport-choice';

const fault = (code: string) => ({ code, message: '' });
const UDP: TransportChoice = { name: 'udp' };
const TRYING: TransportChoice = { name: 'trying-tcp', because: 'it does not offer UDP' };
const TCP: TransportChoice = { name: 'tcp', because: 'it does not offer UDP' };

describe('an automatically chosen transport', () => {
  for (const code of ['unauthorized', 'not-found', 'refused', 'unreachable', 'ended', 'stalled'])
    it(`stays UDP after "${code}", which TCP does not fix`, () =>
      assert.deepEqual(afterFault(UDP, fault(code)), UDP));

  it('becomes TCP if UDP delivers nothing or is not offered, and stays TCP once a packet has arrived', () => {
    assert.equal(afterFault(UDP, fault('udp-blocked')).name, 'trying-tcp');
    assert.deepEqual(afterFault(UDP, fault('transport')), TRYING);
    assert.deepEqual(afterPacket(TRYING), TCP);
    assert.deepEqual(afterFault(TCP, fault('silent')), TCP);
  });

  it('returns to UDP if TCP delivers nothing either', () => {
    assert.deepEqual(afterFault(TRYING, fault('silent')), { name: 'udp', tcpFailed: true });
    assert.deepEqual(afterPacket(UDP), UDP);
  });

  it('becomes TCP if UDP loses many packets, unless TCP delivered nothing before', () => {
    const lossy = { code: 'udp-loss', message: '5 of some 229 UDP packets were lost' };
    assert.deepEqual(afterFault(UDP, lossy), { name: 'trying-tcp', because: lossy.message });
    const source = { kind: 'stream', url: 'rtsp://cam/', transport: 'udp', orTcp: true } as const;
    assert.equal(leavesUdp(source, UDP), true);
    assert.equal(leavesUdp(source, { name: 'udp', tcpFailed: true }), false);
    assert.equal(leavesUdp(source, TCP), false);
    assert.equal(leavesUdp({ kind: 'stream', url: 'rtsp://cam/', transport: 'udp' }, UDP), false);
  });
});
