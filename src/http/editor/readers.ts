import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { parseAddress } from '../../subscriber/address.ts'
import {
  browseReaders,
  type ListedReader,
  type ReaderFilter,
  readerFilters,
} from '../../subscriber/browse.ts'
import { type Counted, countByReason, countByStatus } from '../../subscriber/count-readers.ts'
import { beginningOf, findReader, readerAt, readersBeginning } from '../../subscriber/find.ts'
import { barredAmong } from '../../subscriber/suppressed.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { readFields } from './fields.ts'
import { deskPage } from './page.ts'
import { isPublicId } from './reader-named.ts'
import { grouped, shortTime } from './when.ts'

const pageSize = 50
const query = z.object({
  show: z.enum(readerFilters).catch('everybody'),
  before: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional().catch(undefined),
})
const sought = z.object({
  address: z
    .string()
    .catch('')
    .transform((typed) => typed.slice(0, 400)),
  /** An address as it is stored, from which a search goes on. */
  after: z
    .string()
    .regex(/^[\x20-\x7e]{0,320}$/)
    .catch(''),
})

/**
 * `GET /desk/readers`: who there is, newest first. What somebody looks for is sent as a form and stands in no web address:
 * those are kept in histories, and in the logs of whatever is between.
 */
export function readersRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk()
    .get('/desk/readers', async (c) => {
      const { show, before } = query.parse(c.req.query())
      const rows = await browseReaders(deps.db, show, { before, most: pageSize + 1 })
      const base = show === 'everybody' ? '/desk/readers?' : `/desk/readers?show=${encodeURIComponent(show)}&`
      return listPage(c, deps, {
        ...{ rows, show, heading: headings[show], newest: before === undefined ? '' : base.slice(0, -1) },
        older: rows.length > pageSize ? `${base}before=${rows.at(pageSize - 1)?.cursor}` : '',
      })
    })
    .post('/desk/readers/find', async (c) => {
      const { address: typed, after } = sought.parse(await readFields(c))
      const found = await exactly(deps, typed.trim())
      if (found) return c.redirect(`/desk/readers/${found}`, 303)
      const beginning = beginningOf(typed)
      if (beginning === '') return c.redirect('/desk/readers', 303)
      const rows = await readersBeginning(deps.db, beginning, { after, most: pageSize + 1 })
      return listPage(c, deps, {
        ...{ rows, typed: typed.trim(), heading: `Addresses that begin with “${beginning}”` },
        nobody: rows.length === 0 ? await whyNobody(deps, typed) : '',
        goesOnAfter: rows.length > pageSize ? (rows.at(pageSize - 1)?.address ?? '') : '',
      })
    })
}

/** The public id of who is meant, where the whole address or that id was typed. */
async function exactly({ db }: DeskDeps, typed: string): Promise<string | undefined> {
  if (isPublicId(typed)) return (await findReader(db, typed))?.public_id
  const parsed = parseAddress(typed)
  return parsed.ok ? (await readerAt(db, parsed.address))?.public_id : undefined
}

async function whyNobody({ db, keys }: DeskDeps, typed: string): Promise<string> {
  const parsed = parseAddress(typed)
  const barred = parsed.ok ? (await barredAmong(db, keys, [parsed.address])).get(parsed.address) : undefined
  if (barred === 'erased') return 'Who had this address was erased: only a keyed hash of it is kept.'
  if (barred) return `No reader has this address. It is suppressed (${barred}), so nothing is sent to it.`
  return 'No reader’s address begins like that. An address has to be typed from its first letter on.'
}

type Listed = {
  readonly rows: readonly ListedReader[]
  readonly heading: string
  readonly show?: ReaderFilter
  readonly typed?: string
  readonly nobody?: string
  readonly newest?: string
  readonly older?: string
  /** The last address shown, where a search has more than that. */
  readonly goesOnAfter?: string
}

async function listPage(c: Context<DeskEnv>, deps: DeskDeps, listed: Listed): Promise<Response> {
  const { rows, show, heading, typed = '', nobody = '', newest = '', older = '', goesOnAfter = '' } = listed
  const filters = await filtersFor(deps, show)
  return deskPage(c, deps, 'desk-readers', {
    ...{ section: 'readers', title: 'Readers' },
    data: {
      ...{ heading, typed, nobody, newest, older, goesOnAfter, filters },
      isSearch: show === undefined,
      isFirst: show === 'everybody' && rows.length === 0 && newest === '',
      readers: rows.slice(0, pageSize).map((row) => readerRow(row, deps.calendar.zone)),
      sinceWhat: show !== undefined && barred.has(show) ? 'Suppressed since' : 'Here since',
    },
  })
}

function readerRow({ publicId, address, status, barred: reason, since }: ListedReader, zone: string) {
  return {
    ...{ url: publicId ? `/desk/readers/${publicId}` : '', address: address ?? 'Erased', isErased: !address },
    ...{ status: status ?? 'no reader', barred: reason ? suppressedFor[reason] : '' },
    since: { machine: since.toString(), person: shortTime(since, zone) },
  }
}

const suppressedFor = {
  bounced: 'bounced',
  complained: 'reported spam',
  'by hand': 'suppressed by hand',
  erased: 'erased',
} as const

const barred = new Set<string>(['bounced', 'complained', 'by hand'])

/** The lists there are, each with how many are in it. */
async function filtersFor({ db }: DeskDeps, show: ReaderFilter | undefined) {
  const [statuses, reasons] = [await countByStatus(db), await countByReason(db)]
  return readerFilters.map((filter) => ({
    ...{ label: labels[filter], isCurrent: filter === show },
    url: filter === 'everybody' ? '/desk/readers' : `/desk/readers?show=${encodeURIComponent(filter)}`,
    count:
      filter === 'everybody' ? countOf(statuses) : countOf(barred.has(filter) ? reasons : statuses, filter),
  }))
}

/** Of an estimate, what is rare is not known: better no number than a wrong one. */
function countOf({ of, isEstimate }: Counted, value?: string): string {
  const known = value === undefined ? [...of.values()].reduce((sum, many) => sum + many, 0) : of.get(value)
  if (known === undefined) return isEstimate ? '' : '0'
  return `${isEstimate ? 'about ' : ''}${grouped(known)}`
}

const labels: Record<ReaderFilter, string> = {
  everybody: 'Everybody',
  pending: 'Not confirmed',
  confirmed: 'Confirmed',
  paused: 'Paused',
  unsubscribed: 'Left',
  erased: 'Erased',
  'by hand': 'Suppressed by hand',
  bounced: 'Bounced',
  complained: 'Reported spam',
}

const headings: Record<ReaderFilter, string> = {
  everybody: 'Everybody, newest first',
  pending: 'Signed up and not confirmed, newest first',
  confirmed: 'Confirmed, newest first',
  paused: 'Paused, newest first',
  unsubscribed: 'Who left, newest first',
  erased: 'Who was erased, newest first',
  'by hand': 'Suppressed by hand, newest first',
  bounced: 'Suppressed because mail bounced, newest first',
  complained: 'Suppressed because they reported spam, newest first',
}
