import { Hono } from 'hono'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'

/** `/healthz`: the process answers. `/readyz`: the database does too. */
export function healthRoutes({ db }: { db: Kysely<Database> }): Hono {
  return new Hono()
    .get('/healthz', (c) => c.json({ status: 'alive' }))
    .get('/readyz', async (c) => {
      try {
        await sql`select 1 from issue limit 1`.execute(db)
        return c.json({ status: 'ready' })
      } catch {
        return c.json({ status: 'the database does not answer' }, 503)
      }
    })
}
