import { defineConfig } from 'vitest/config'

const onPostgres = process.env.TEST_DATABASE_URL

/** The suite on the embedded database, and on real PostgreSQL as well where `TEST_DATABASE_URL` names one. */
export default defineConfig({
  test: {
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
                exclude: ['test/browser/**'],
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
