import type { Hono } from 'hono'
import type { WorkDeps } from '../../jobs/work.ts'
import { readConfig } from '../../src/config.ts'
import { createApp } from '../../src/http/app.ts'
import type { Wake } from '../../src/wake.ts'
import { clockAt } from './clock.ts'
import type { TestDatabase } from './database.ts'
import { friday } from './delivery.ts'
import { newsletterWith } from './newsletter.ts'
import { openPostOffice } from './post-office.ts'

/** The whole web side on a test database, to be asked with `app.request()`. `environment` is what its configuration is read from. */
export function appOn(
  database: TestDatabase,
  { environment = {}, ...parts }: { environment?: Record<string, string> } & Partial<WorkDeps> = {},
  wake?: Wake,
): Hono {
  const config = readConfig({ PUBLIC_URL: 'https://news.example.com', ...environment })
  return createApp(
    {
      ...newsletterWith(database, { clock: clockAt(friday), transport: openPostOffice(), ...parts }),
      config,
      connection: database.connection,
      outboxFolder: '/nowhere/outbox',
      close: async () => {},
    },
    wake,
  )
}
