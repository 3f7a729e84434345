/** The condition of a camera. */

/**
 * `waiting`: its pictures are captured and wait for Redis or RabbitMQ; `starting` includes a process that is being restarted;
 * `offline`: its feed gives no pictures.
 */
export type CameraCondition = 'delivering' | 'starting' | 'waiting' | 'offline' | 'quarantined' | 'disabled';
