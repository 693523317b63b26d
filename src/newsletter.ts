import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type Kysely, sql } from 'kysely'
import { type Connection, openDatabase } from '../db/connect.ts'
import { migrate } from '../db/migrate.ts'
import type { Database } from '../db/schema.ts'
import { type Calendar, type Clock, clockFollowing, systemClock } from './clock.ts'
import type { Config } from './config.ts'
import type { DailyLimit } from './delivery/daily-limit.ts'
import { type LedgerMark, openLedgerMark } from './delivery/ledger-mark.ts'
import type { SendRules } from './delivery/send.ts'
import { type Audit, chromiumAudit } from './issue/preflight/audit.ts'
import { type IssueSetting, loadIssueTemplates } from './issue/render.ts'
import type { Log } from './log.ts'
import type { Transport } from './mail/email.ts'
import { listIdUnder } from './mail/list-headers.ts'
import type { MailTemplates } from './mail/mail-templates.ts'
import { openTransport } from './mail/open-transport.ts'
import type { WireFacts } from './mail/wire.ts'
import { developmentKeys } from './subscriber/development-key.ts'
import { loadLetterTemplates } from './subscriber/set-letter.ts'
import type { SigningKey } from './subscriber/token.ts'

/** Everything the entry points hand on, opened once: each function takes from it the few things it lists. */
export type Newsletter = {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  readonly connection: Connection
  readonly db: Kysely<Database>
  /** What this machine remembers of its ledgers. */
  readonly ledgerMark?: LedgerMark
  readonly templates: MailTemplates
  readonly letterTemplates: MailTemplates
  readonly setting: IssueSetting
  readonly calendar: Calendar
  readonly comparisons: { readonly least: number; readonly most: number }
  readonly fewestVotes: number
  readonly rules: SendRules
  readonly dailyLimit?: DailyLimit | undefined
  readonly transport: Transport
  readonly outboxFolder: string
  readonly wire: WireFacts
  readonly listId: string
  readonly keys: readonly SigningKey[]
  /** The id of the key that signs. */
  readonly keyId: string
  /** Looks at an edition with a browser, where there is one. */
  readonly audit?: Audit | undefined
  /** Names this process in the ledger. */
  readonly worker: string
  close(): Promise<void>
}

/** Opens the database (brought to the newest schema), the templates and the way out. Throws what stands in the way. */
export async function openNewsletter(config: Config, clock: Clock, log: Log): Promise<Newsletter> {
  const connection = await openDatabase({ url: config.databaseUrl, dataDir: config.dataDir })
  try {
    await migrate(connection.db)
    const time = clock === systemClock ? await timeOf(connection) : { clock, stop: () => {} }
    return await assemble(config, time, log, connection)
  } catch (error) {
    await connection.close()
    throw error
  }
}

async function assemble(
  config: Config,
  { clock, stop }: SharedTime,
  log: Log,
  connection: Connection,
): Promise<Newsletter> {
  const keys = config.signingKeys ?? developmentKeys(config.dataDir)
  const [signing] = keys
  if (!signing) throw new Error('There is no signing key')
  const outboxFolder = join(config.dataDir, 'outbox')
  const transport = openTransport(config.mail, { folder: outboxFolder, clock })
  return {
    ...{
      config,
      clock,
      log,
      connection,
      db: connection.db,
      transport,
      outboxFolder,
      keys,
      keyId: signing.id,
    },
    ledgerMark: openLedgerMark(config.dataDir, connection.driver),
    templates: loadIssueTemplates(),
    letterTemplates: loadLetterTemplates(),
    setting: { publicUrl: config.publicUrl, postalAddress: config.postalAddress },
    ...{ calendar: config.calendar, comparisons: config.comparisons, fewestVotes: config.fewestVotes },
    rules: { policy: config.sendPolicy, grace: config.sendGrace },
    dailyLimit: config.dailyLimit,
    wire: { from: config.mail.from, replyTo: config.mail.replyTo, publicUrl: config.publicUrl },
    listId: listIdUnder(domainOf(config.mail.from)),
    audit: chromiumAudit(config.chromiumPath),
    worker: `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`,
    async close() {
      stop()
      await transport.close()
      await connection.close()
    },
  }
}

type SharedTime = { readonly clock: Clock; stop(): void }

/** Leases and due times are compared between machines, so all of them go by their database's clock. */
async function timeOf({ db, driver }: Connection): Promise<SharedTime> {
  if (driver.kind === 'embedded') return { clock: systemClock, stop: () => {} }
  const time = clockFollowing(async () => {
    const { rows } = await sql<{ now: Temporal.Instant }>`select clock_timestamp() as now`.execute(db)
    return rows[0]?.now ?? systemClock()
  }, systemClock)
  await time.compare()
  const timer = setInterval(() => void time.compare().catch(() => {}), 60_000)
  timer.unref()
  return { clock: time.clock, stop: () => clearInterval(timer) }
}

function domainOf(from: string): string {
  return /@([^>\s]+)>?$/.exec(from)?.[1] ?? 'example.com'
}
