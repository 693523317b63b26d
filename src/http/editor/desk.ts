import { Hono } from 'hono'
import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import type { Calendar, Clock } from '../../clock.ts'
import type { Config } from '../../config.ts'
import type { Door, Session } from '../../editor/door.ts'
import type { CodeMailDeps } from '../../editor/mail-code.ts'
import type { Newsletter } from '../../newsletter.ts'
import type { Pages } from '../../template.ts'
import type { Wake } from '../../wake.ts'
import type { Connected, networkReader } from '../client-address.ts'

/** What a desk route may rely on: somebody is signed in, and what changes something came from our own page. */
export type DeskEnv = Connected & { Variables: { session: Session } }

/** What the desk's routes are made from; each takes the few that it lists. */
export type DeskDeps = Newsletter &
  CodeMailDeps & {
    readonly db: Kysely<Database>
    readonly clock: Clock
    readonly calendar: Calendar
    readonly config: Config
    readonly pages: Pages
    readonly hasOutbox: boolean
    readonly wake: Wake
    readonly networkOf: ReturnType<typeof networkReader>
    readonly editors: readonly string[]
    readonly door: Door
  }

/** An empty set of desk routes. They are written with their whole paths, and mounted in `routes.ts`. */
export function desk(): Hono<DeskEnv> {
  return new Hono<DeskEnv>()
}
