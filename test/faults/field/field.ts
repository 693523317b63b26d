import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import { openForSending } from '../../../src/delivery/send.ts'
import { findIssue, type Issue } from '../../../src/issue/issue.ts'
import { drafted } from '../../setup/drafted.ts'
import { newsletterWith, testKeys } from '../../setup/newsletter.ts'
import { makeDatabase } from '../../setup/own-database.ts'
import { people } from '../../setup/people.ts'
import { openPostOffice } from '../../setup/post-office.ts'
import { type ProviderProcess, startProvider } from './provider.ts'
import { warmCompileCache } from './warm.ts'

/** An issue whose audience is frozen, with a provider in a process of its own: where faults are let loose. */
export type Field = {
  readonly folder: string
  readonly url: string
  readonly db: Kysely<Database>
  readonly week: string
  readonly issue: Issue
  /** Everybody who was to get the issue when it was frozen, by address. */
  readonly readers: ReadonlyMap<string, Reader>
  readonly provider: ProviderProcess
  /** For `verdict …` and for workers alike, so that both make the same bytes. */
  readonly environment: Readonly<Record<string, string>>
  close(): Promise<void>
}

export type Reader = { readonly id: number; readonly publicId: string; readonly address: string }

export type FieldOptions = {
  /** A PostgreSQL on which databases may be made. */
  readonly server: string
  readonly readers: number
  readonly perBatch: number
  /** Options of the provider's command line. */
  readonly provider?: readonly string[]
  /** What differs in the environment. */
  readonly environment?: Readonly<Record<string, string>>
}

const week = '2099-W10'

/** Makes it all in a database and a folder of its own; `close` removes both. */
export async function openField(options: FieldOptions): Promise<Field> {
  await using made = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'verdict-field-'))
  made.defer(() => rm(folder, { recursive: true, force: true }))
  const { url, connection, drop } = await makeDatabase(options.server, 'wv_field')
  made.defer(drop)
  const provider = await startProvider(folder, options.provider)
  made.defer(provider.end)

  const issue = await freeze(connection.db, options)
  const kept = made.move()
  return {
    ...{ folder, url, week, issue, provider, db: connection.db },
    readers: await audience(connection.db),
    environment: {
      ...{ PATH: process.env.PATH ?? '', DATA_DIR: join(folder, 'data'), DATABASE_URL: url },
      NODE_COMPILE_CACHE: warmCompileCache(join(folder, 'compiled')),
      ...{ MAIL_TRANSPORT: 'resend', RESEND_API_KEY: 're_test', RESEND_BASE_URL: provider.url },
      ...{ PUBLIC_URL: 'https://news.example.com', LOG_LEVEL: 'silent' },
      SIGNING_KEYS: testKeys.map(({ id, secret }) => `${id}:${secret.toString('base64')}`).join(),
      ...options.environment,
    },
    close: () => kept.disposeAsync(),
  }
}

/** Two of the readers are out before the freeze: nothing may ever reach them. */
async function freeze(db: Kysely<Database>, { readers, perBatch }: FieldOptions): Promise<Issue> {
  await drafted(db, week)
  await people.crowd(db, readers)
  await people.bobWhoComplained(db)
  const clock = () => Temporal.Now.instant()
  const most = { mails: perBatch, bytes: 4_000_000 }
  const deps = newsletterWith({ db }, { clock, transport: openPostOffice({ most }) })
  const ready = await openForSending(deps, week, { early: true })
  if (ready.kind !== 'ready') throw new Error(`Not ready: ${JSON.stringify(ready)}`)
  return ready.issue
}

async function audience(db: Kysely<Database>): Promise<ReadonlyMap<string, Reader>> {
  const rows = await db
    .selectFrom('subscriber as s')
    .leftJoin('suppression as x', 'x.address', 's.address')
    .select(['s.id', 's.public_id as publicId', 's.address'])
    .where('s.status', '=', 'confirmed')
    .where('x.address', 'is', null)
    .execute()
  return new Map(rows.map((row) => [row.address ?? '', { ...row, address: row.address ?? '' }]))
}

/** The state of the issue now. */
export async function stateOf({ db, week: name }: Pick<Field, 'db' | 'week'>): Promise<string> {
  return (await findIssue(db, name))?.state ?? 'gone'
}
