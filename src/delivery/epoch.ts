import { type Kysely, type Selectable, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { LedgerMark } from './ledger-mark.ts'
import { placeOf } from './ledger-place.ts'

/** `ledgerMark` is left out where a process keeps no memory of its own: then only the database's own place is compared. */
export type EpochDeps = {
  readonly db: Kysely<Database>
  readonly log: Log
  readonly clock: Clock
  readonly ledgerMark?: LedgerMark
}

type Installation = Selectable<Database['installation']>

/**
 * Why this database must not send: it is not where it was when it last sent, or its ledger lacks what this machine has
 * seen in it (RELIABILITY 3.2, W7). When nothing speaks against it, it is written down that it sends here, and how far
 * its ledger has come, before the first call can be made.
 */
export async function whyNotThisDatabase(deps: EpochDeps): Promise<string | undefined> {
  const problem = await whatIsWrong(deps)
  if (problem) return `${problem} ${wayOut}`

  const place = await placeOf(deps.db)
  if (place) await deps.db.updateTable('installation').set({ place }).where('place', 'is', null).execute()
  await markLedger(deps)
  return undefined
}

/** The same, only looking. */
export async function whatIsWrong({
  db,
  ledgerMark,
}: Pick<EpochDeps, 'db' | 'ledgerMark'>): Promise<string | undefined> {
  const installation = await theInstallation(db)
  return (
    whatTheMarkSays(ledgerMark, installation, await highestAttempt(db)) ??
    whatThePlaceSays(installation, await placeOf(db))
  )
}

const wayOut =
  'Nothing is sent until somebody has looked. Compare with the provider: verdict reconcile WEEK --provider. ' +
  'Then: verdict adopt-database'

/**
 * Writes down how far the ledger has come, outside the database. A disk that does not take it is logged and stops no
 * mail: a copy of the database is still known by its place.
 */
export async function markLedger({ db, ledgerMark, log, clock }: EpochDeps): Promise<void> {
  if (!ledgerMark) return
  const { id } = await theInstallation(db)
  const attempt = await highestAttempt(db)
  try {
    ledgerMark.write({ installation: id, attempt }, clock())
  } catch (error) {
    log.warn({ err: error, file: ledgerMark.file }, 'the mark of the ledger cannot be written')
  }
}

/** The same while mail is being sent: at most once a second. */
export async function markLedgerNowAndThen(deps: EpochDeps): Promise<void> {
  const last = deps.ledgerMark?.triedAt
  if (last && Temporal.Duration.compare(last.until(deps.clock()), { seconds: 1 }) < 0) return
  await markLedger(deps)
}

/** The one row that says which ledger this is; made when it is first asked for. */
export async function theInstallation(db: Kysely<Database>): Promise<Installation> {
  const found = await db.selectFrom('installation').selectAll().executeTakeFirst()
  if (found) return found
  await db
    .insertInto('installation')
    .defaultValues()
    .onConflict((oc) => oc.doNothing())
    .execute()
  return db.selectFrom('installation').selectAll().executeTakeFirstOrThrow()
}

/** The number of the newest attempt that is committed, 0 before the first. */
export async function highestAttempt(db: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{
    highest: number
  }>`select coalesce(max(id), 0) as highest from attempt`.execute(db)
  return rows[0]?.highest ?? 0
}

function whatTheMarkSays(
  mark: LedgerMark | undefined,
  { id, ancestors, place }: Installation,
  highest: number,
): string | undefined {
  if (!mark) return undefined
  const marks = mark.read()
  if (!marks) return `${mark.file}, this machine's memory of what it sent, cannot be read.`
  const { here, elsewhere } = marks
  const seen = [...(here ? [here] : []), ...elsewhere].filter(({ installation }) => installation === id)
  const furthest = Math.max(0, ...seen.map(({ attempt }) => attempt))
  if (furthest > highest)
    return (
      `This database is behind: this machine has seen attempt ${furthest} in it, and it has ${highest}. ` +
      'It is a restored backup or an old copy, and readers may have mails that it does not know of.'
    )
  if (here && here.installation !== id && !ancestors.includes(here.installation))
    return 'This is not the database that this machine sent with at this address: it was put in its place.'
  if (mark.isEmbedded && !here && place !== null)
    return `This database has sent before, and ${mark.file}, which was kept beside it, is not here: it is a copy.`
  return undefined
}

function whatThePlaceSays({ place: before }: Installation, now: string | undefined): string | undefined {
  if (before === null || now === undefined || before === now) return undefined
  return (
    `This database last sent from another place (${before}; now ${now}): it is a copy, a restored backup or a server ` +
    'that took over, and readers may have mails that it does not know of.'
  )
}
