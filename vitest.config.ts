import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { reachesADatabase } from './test/setup/reaches-a-database.ts'

const onPostgres = process.env.TEST_DATABASE_URL

/** Files that would prove the same again on PostgreSQL. */
function withoutDatabase(): readonly string[] {
  return globSync('test/**/*.test.ts', { cwd: import.meta.dirname }).filter(
    (file) => !file.startsWith('test/faults/') && !reachesADatabase(join(import.meta.dirname, file)),
  )
}

/** The suite on the embedded database, and what touches a database on real PostgreSQL as well where `TEST_DATABASE_URL` names one. */
export default defineConfig({
  test: {
    // One more than there are cores: much of a test is waiting for a database.
    maxWorkers: availableParallelism() + 1,
    globalSetup: ['test/setup/which-databases.ts', 'test/setup/prepare-databases.ts'],
    projects: [
      {
        test: {
          name: 'embedded',
          include: ['test/**/*.test.ts'],
          exclude: ['test/faults/**', 'test/browser/**'],
          env: { TEST_DATABASE_URL: '' },
          // No test patches a module, so a worker may keep what it has loaded: that is a third of the whole time.
          isolate: false,
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
                exclude: [
                  'test/browser/**',
                  // They start the embedded database by themselves, whatever the project.
                  ...['test/cli/start.test.ts', 'test/cli/locked.test.ts'],
                  ...withoutDatabase(),
                ],
                env: { TEST_DATABASE_URL: onPostgres },
                isolate: false,
                testTimeout: 120_000,
                hookTimeout: 60_000,
              },
            },
          ]
        : []),
    ],
  },
})
