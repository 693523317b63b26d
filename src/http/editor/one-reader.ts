import { domainToUnicode } from 'node:url'
import type { Context, Hono } from 'hono'
import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { Database } from '../../../db/schema.ts'
import { deliveriesOf } from '../../delivery/deliveries-of.ts'
import { comingIssue } from '../../issue/in-focus.ts'
import { type ConsentLine, consentOf, lastOfKind } from '../../subscriber/consent-of.ts'
import type { Reader } from '../../subscriber/find.ts'
import { lettersOf } from '../../subscriber/letters-of.ts'
import { choicesOf } from '../../subscriber/preferences.ts'
import { barOn } from '../../subscriber/suppressed.ts'
import { wording } from '../../subscriber/wording.ts'
import { dayOf } from '../reader/personal-link.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { deskNotFound, deskPage } from './page.ts'
import { readerChoices } from './reader-choices.ts'
import { isPublicId, readerNamed } from './reader-named.ts'
import { consentRow, deliveryRow, letterRow } from './reader-rows.ts'
import { barWords, cadenceWords, departureWords, standingOf } from './reader-words.ts'

const pageSize = 25
const query = z.object({
  issues: z
    .string()
    .regex(/^\d{4}-W\d{2}$/)
    .optional()
    .catch(undefined),
  letters: z.string().refine(isPublicId).optional().catch(undefined),
  consent: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional().catch(undefined),
})

/** `GET /desk/readers/:publicId`: one reader, why they are mailed, and everything that they were sent. */
export function oneReaderRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk().get('/desk/readers/:publicId', async (c) => {
    const reader = await readerNamed(deps, c.req.param('publicId'))
    if (!reader) return deskNotFound(c, deps, 'There is no reader of that number.')
    return reader.status === 'erased' ? erasedPage(c, deps, reader) : readerPage(c, deps, reader)
  })
}

async function readerPage(c: Context<DeskEnv>, deps: DeskDeps, reader: Reader): Promise<Response> {
  const { zone } = deps.calendar
  const address = reader.address ?? ''
  const bar = await barOn(deps.db, address)
  return deskPage(c, deps, 'desk-reader', {
    ...{ section: 'readers', title: address },
    data: {
      ...{ id: reader.public_id, status: reader.status, ...inTwo(address), spelled: inLetters(address) },
      standing: standingOf({ reader, grounds: await groundsOf(deps.db, reader), bar }, zone),
      barred: bar ? barWords(bar, zone) : '',
      choices: readerChoices(reader, bar),
      wants: await wantsOf(deps.db, reader, zone),
      departure: await departureOf(deps.db, reader.id, zone),
      coming: await comingWith(deps, reader),
      ...(await recordsOf(c, deps, reader)),
    },
  })
}

async function erasedPage(c: Context<DeskEnv>, deps: DeskDeps, reader: Reader): Promise<Response> {
  const standing = { reader, grounds: await groundsOf(deps.db, reader), bar: undefined }
  return deskPage(c, deps, 'desk-erased', {
    ...{ section: 'readers', title: 'Erased' },
    data: {
      ...{ id: reader.public_id, standing: standingOf(standing, deps.calendar.zone) },
      ...(await recordsOf(c, deps, reader)),
    },
  })
}

/** The three records of a reader, a page of each. */
async function recordsOf(c: Context<DeskEnv>, { db, calendar }: DeskDeps, reader: Reader) {
  const before = query.parse(c.req.query())
  const [zone, most] = [calendar.zone, pageSize + 1]
  const deliveries = await deliveriesOf(db, reader.id, { before: before.issues, most })
  const letters = await lettersOf(db, reader.id, { before: before.letters, most })
  const consent = await consentOf(db, reader.id, { before: before.consent, most })
  const path = `/desk/readers/${reader.public_id}`
  const pager = <Row>(name: keyof typeof before, rows: readonly Row[], cursor: (last: Row) => unknown) => {
    const last = rows.length > pageSize ? rows[pageSize - 1] : undefined
    return {
      newest: before[name] === undefined ? '' : `${path}#${name}`,
      older: last ? `${path}?${name}=${cursor(last)}#${name}` : '',
    }
  }
  return {
    deliveries: deliveries.slice(0, pageSize).map((row) => deliveryRow(row, reader, zone)),
    deliveriesPager: pager('issues', deliveries, (row) => row.week),
    letters: letters.slice(0, pageSize).map((row) => letterRow(row, reader, zone)),
    lettersPager: pager('letters', letters, (row) => row.id),
    consent: consent.slice(0, pageSize).map((row) => consentRow(row, zone)),
    consentPager: pager('consent', consent, (row) => row.id),
    wording: consent.some((row) => row.wording === wording.version) ? wording : false,
  }
}

/** The line of the record that a reader's status rests on; of a confirmation, how they had signed up. */
async function groundsOf(db: Kysely<Database>, { id, status }: Reader): Promise<ConsentLine | undefined> {
  const line = await lastOfKind(db, id, groundKinds[status])
  if (line?.kind !== 'confirmed') return line
  const signUp = await lastOfKind(db, id, ['signed up'])
  return signUp ? { ...line, method: signUp.method } : line
}

const groundKinds: Record<Reader['status'], readonly ConsentLine['kind'][]> = {
  pending: ['signed up'],
  confirmed: ['confirmed', 'imported', 'resubscribed'],
  paused: ['confirmed', 'imported', 'resubscribed'],
  unsubscribed: ['unsubscribed'],
  erased: ['erased'],
}

async function wantsOf(db: Kysely<Database>, reader: Reader, zone: string) {
  const { categories, tools } = await choicesOf(db, reader)
  const rows = [
    { name: 'How often', value: cadenceWords[reader.cadence].replace(/^gets /, '') },
    { name: 'Categories', value: categories.join(', ') },
    { name: 'Tools', value: tools.join(', ') },
    { name: 'Paused until', value: reader.paused_until ? dayOf(reader.paused_until, zone) : '' },
  ]
  return rows.filter(({ value }) => value !== '')
}

async function departureOf(db: Kysely<Database>, subscriberId: number, zone: string) {
  const row = await db
    .selectFrom('departure')
    .select(['at', 'why', 'words'])
    .where('subscriber_id', '=', subscriberId)
    .executeTakeFirst()
  if (!row) return false
  return {
    on: dayOf(row.at, zone),
    why: row.why ? (departureWords[row.why] ?? row.why) : '',
    words: row.words ?? '',
  }
}

/** The coming issue as this reader would get it, once there is an edition. */
async function comingWith({ db, clock, calendar }: DeskDeps, reader: Reader) {
  const { issue } = await comingIssue(db, clock(), calendar)
  if (!issue?.edition_hash || reader.status === 'unsubscribed') return false
  return { week: issue.week, url: `/desk/issues/${issue.week}?as=${reader.public_id}#edition` }
}

/** An address in the two halves between which it may be broken into lines. */
function inTwo(address: string): { readonly local: string; readonly domain: string } {
  const at = address.lastIndexOf('@')
  return { local: address.slice(0, at), domain: address.slice(at + 1) }
}

/** An address as its owner spells it, where its domain is kept in another form; else nothing. */
function inLetters(address: string): string {
  const { local, domain } = inTwo(address)
  const spelled = `${local}@${domainToUnicode(domain)}`
  return spelled === address ? '' : spelled
}
