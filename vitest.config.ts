import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const onPostgres = process.env.TEST_DATABASE_URL

/** The suite on the embedded database, and on real PostgreSQL as well where `TEST_DATABASE_URL` names one. */
export default defineConfig({
  test: {
    // One more than there are cores: much of a test is waiting for a database.
    maxWorkers: availableParallelism() + 1,
    globalSetup: ['test/setup/which-databases.ts'],
    projects: [
      {
        test: {
          name: 'embedded',
          include: ['test/**/*.test.ts'],
          exclude: ['test/faults/**', 'test/browser/**'],
          env: { TEST_DATABASE_URL: '' },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      ...(onPostgres
        ? [
            {
              test: {
                name: 'postgres',
                include: ['test/**/*.test.ts'],
                // The last two start the embedded database by themselves, whatever the project.
                exclude: ['test/browser/**', 'test/cli/start.test.ts', 'test/cli/locked.test.ts'],
                env: { TEST_DATABASE_URL: onPostgres },
                testTimeout: 120_000,
                hookTimeout: 60_000,
              },
            },
          ]
        : []),
    ],
  },
})
