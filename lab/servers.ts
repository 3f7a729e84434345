/** Where the test run's private servers are. The run that starts them names them in the environment. */

export interface TestServers {
  readonly redisUrl: string;
  readonly amqpUrl: string;
}

/** URLs of real servers that belong to this test run; throws when the run did not name them. */
export function testServers(): TestServers {
  return { redisUrl: named('VIGIL_TEST_REDIS_URL'), amqpUrl: named('VIGIL_TEST_AMQP_URL') };
}

function named(variable: string): string {
  const value = process.env[variable];
  if (value === undefined || value === '')
    throw new Error(
      `${variable} is not set: start the tests with "npm test", which runs private servers for them`,
    );
  return value;
}
