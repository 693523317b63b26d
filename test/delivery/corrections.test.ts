import { describe, expect, it } from 'vitest'
import { openIssue } from '../../jobs/send-issue.ts'
import { loadEdition } from '../../src/delivery/load-edition.ts'
import { planDeliveries, preparePartition } from '../../src/delivery/plan.ts'
import { previewEdition } from '../../src/delivery/preview.ts'
import { reconcileIssue } from '../../src/delivery/reconcile.ts'
import { toldOnly } from '../../src/issue/edition.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { pauseReader, resumeReader } from '../../src/subscriber/pause.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import type { ComparisonDocument } from '../../src/verdict/document.ts'
import { documentFor } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { inCategory, openWeeks, readerWho, type Taken, type Weeks } from '../setup/weeks.ts'

const database = useDatabase()

/** In week 46 the panel ships the left tool, four of four. */
const [first, second, third] = ['2026-11-11T10:00:00Z', '2026-11-17T10:00:00Z', '2026-11-24T10:00:00Z']
const glyph = (shape: [number, number] = [4, 0], changes: Partial<ComparisonDocument> = {}) =>
  inCategory(documentFor('glyph', { publishedAt: first, ...changes }, shape), 'Design')

describe('a verdict that was revised after it was mailed', () => {
  it('is corrected for exactly the readers who were told the old one, and once', async () => {
    const weeks = await openWeeks(database)
    const who = await everyKindOfReader()
    await weeks.publish(glyph(), first)
    weeks.refused.add('refused')
    await weeks.draft('2026-W46', ['Data'])
    weeks.clock.moveTo('2026-11-13T14:00:00Z')
    await openIssue(weeks.deps, '2026-W46', { early: false })
    await unsubscribe(weeks.deps, who.left.publicId, 'page')
    await weeks.send('2026-W46')
    await weeks.publish(glyph([1, 3]), second)
    await pause(weeks, who.paused.publicId)
    await readerWho(database, 'new')
    weeks.refused.clear()

    await weeks.run('2026-W47', ['Design', 'Data'])
    await resumeReader(weeks.deps, who.paused.publicId)
    await weeks.run('2026-W48', ['Design', 'Data'])

    expect(toldOf('glyph', weeks, '2026-W46')).toEqual(['design', 'paused', 'second', 'weekly'])
    expect(corrected(weeks, '2026-W47')).toEqual(['design', 'second', 'weekly'])
    expect(corrected(weeks, '2026-W48')).toEqual(['paused'])
    expect(readers(weeks, '2026-W47')).toEqual(['data', 'design', 'new', 'refused', 'second', 'weekly'])
    expect(readers(weeks, '2026-W48')).toEqual([
      'data',
      'design',
      'new',
      'paused',
      'refused',
      'second',
      'weekly',
    ])
    await provedSound('2026-W46', '2026-W47', '2026-W48')
  })

  it('is told as it was, as it is, and since when, in both parts, with a counted link and no mark left over', async () => {
    const weeks = await mailedAndRevised(glyph([1, 3]))

    await weeks.run('2026-W47')

    const mail = mailTo(weeks, '2026-W47', 'ann')
    const words =
      'In the issue of 13 November we told you that the panel ships glyph left, 4 of 4; the panel skips glyph right, with 0 of 4 for it; glyph left is ahead. Since 17 November the panel skips glyph left, with 1 of 4 for it; the panel ships glyph right, 3 of 4; glyph right is ahead.'
    expect(flat(mail.text)).toContain(`Correction: glyph left vs glyph right ${words}`)
    expect(flat(mail.html)).toContain(words)
    expect(mail.html.indexOf('Correction:')).toBeLessThan(mail.html.indexOf('1 comparison this week'))
    const link = await database.db
      .selectFrom('link as l')
      .innerJoin('comparison as c', 'c.id', 'l.comparison_id')
      .select(['l.id', 'l.position'])
      .where('c.slug', '=', 'glyph')
      .where(
        'l.id',
        'in',
        [...mail.html.matchAll(/\/go\/(\w+)/g)].map(([, id]) => id ?? ''),
      )
      .executeTakeFirst()
    expect(link?.position).toBeNull()
    expect(mail.text).toContain(`/go/${link?.id}`)
    for (const { html, text } of weeks.taken) expect(html + text).not.toMatch(/[\u0000-\u0008]/)
  })

  it.each([
    [
      'a price',
      glyph([4, 0]),
      withPrice('paid'),
      'the entry price of glyph left is “Free”. Since 17 November glyph left is “Paid”.',
    ],
    ['which one is ahead', glyph([4, 3]), glyph([3, 4]), 'glyph right is ahead'],
  ])('is corrected too when it is %s', async (_, before, after, words) => {
    const weeks = await mailedAndRevised(after, before)

    await weeks.run('2026-W47')

    expect(flat(mailTo(weeks, '2026-W47', 'ann').text)).toContain(words)
  })

  it('is not when only its words were mended, or when it is again as it was told', async () => {
    const weeks = await mailedAndRevised(glyph([4, 0], { title: 'A mended title' }))
    await weeks.run('2026-W47')
    await weeks.publish(glyph([0, 4]), '2026-11-23T10:00:00Z')
    await weeks.publish(glyph([4, 0]), third)

    await weeks.run('2026-W48')

    expect(corrected(weeks, '2026-W47')).toEqual([])
    expect(corrected(weeks, '2026-W48')).toEqual([])
  })

  it('turns back for those who were told of the turn, and for nobody else', async () => {
    const weeks = await openWeeks(database)
    const [, away] = [await readerWho(database, 'ann'), await readerWho(database, 'away')]
    await weeks.publish(glyph(), first)
    await weeks.run('2026-W46')
    await weeks.publish(glyph([0, 4]), second)
    await pause(weeks, away.publicId)
    await weeks.run('2026-W47')
    await resumeReader(weeks.deps, away.publicId)
    await weeks.publish(glyph([4, 0]), third)

    await weeks.run('2026-W48')

    expect(corrected(weeks, '2026-W47')).toEqual(['ann'])
    expect(corrected(weeks, '2026-W48')).toEqual(['ann'])
    expect(readers(weeks, '2026-W48')).toEqual(['ann', 'away'])
    expect(flat(mailTo(weeks, '2026-W48', 'ann').text)).toContain(
      'Since 24 November the panel ships glyph left',
    )
    await provedSound('2026-W47', '2026-W48')
  })

  it('tells each reader what they were told themselves, where that was not the same', async () => {
    const weeks = await openWeeks(database)
    const [, away] = [await readerWho(database, 'ann'), await readerWho(database, 'away')]
    await weeks.publish(glyph([4, 0]), first)
    await weeks.run('2026-W46')
    await weeks.publish(glyph([3, 0]), second)
    await pause(weeks, away.publicId)
    await weeks.run('2026-W47')
    await resumeReader(weeks.deps, away.publicId)
    await weeks.publish(glyph([1, 0]), third)
    await readerWho(database, 'new')

    await weeks.run('2026-W48')

    const said = (name: string) => flat(mailTo(weeks, '2026-W48', name).text)
    expect(said('ann')).toContain(
      'In the issue of 20 November we told you that the panel ships glyph left, 3 of 4.',
    )
    expect(said('ann')).toContain('Since 24 November the panel skips glyph left, with 1 of 4 for it.')
    expect(said('away')).toContain(
      'In the issue of 13 November we told you that the panel ships glyph left, 4 of 4.',
    )
    expect(said('away')).toContain('Now the panel skips glyph left, with 1 of 4 for it.')
    expect(corrected(weeks, '2026-W48')).toEqual(['ann', 'away'])
    await provedSound('2026-W48')
  })

  it('waits for the next issue when it was revised after the draft', async () => {
    const weeks = await mailedAndRevised(glyph())
    await weeks.draft('2026-W47')
    await weeks.publish(glyph([1, 3]), '2026-11-19T16:00:00Z')
    await weeks.send('2026-W47')

    await weeks.run('2026-W48')

    expect(corrected(weeks, '2026-W47')).toEqual([])
    expect(corrected(weeks, '2026-W48')).toEqual(['ann'])
  })

  it('told nobody anything by a mail in doubt, until that is found to have been accepted', async () => {
    const weeks = await mailedAndRevised(glyph([1, 3]))
    const { id, provider_ids } = await database.db
      .selectFrom('batch')
      .select(['id', 'provider_ids'])
      .executeTakeFirstOrThrow()
    const inDoubt = { state: 'quarantined', reason: 'a test', accepted_at: null, provider_ids: null } as const
    await database.db.updateTable('batch').set(inDoubt).where('id', '=', id).execute()
    await weeks.run('2026-W47')
    const found = { state: 'accepted', reason: null, accepted_at: weeks.clock(), provider_ids } as const
    await database.db.updateTable('batch').set(found).where('id', '=', id).execute()

    await weeks.run('2026-W48')

    expect(corrected(weeks, '2026-W47')).toEqual([])
    expect(corrected(weeks, '2026-W48')).toEqual(['ann'])
  })

  it('that went to a reader who did not need it, or not to one who did, is named by the reconciliation', async () => {
    const weeks = await mailedAndRevised(glyph([1, 3]))
    await readerWho(database, 'new')
    await weeks.run('2026-W47')
    const issue = await findIssue(database.db, '2026-W47')
    const batches = await database.db
      .selectFrom('batch')
      .select(['id', 'edition_hash'])
      .where('issue_id', '=', issue?.id ?? 0)
      .execute()
    const [one, other] = batches
    for (const [to, from] of [
      [one, other],
      [other, one],
    ]) {
      await database.db
        .updateTable('batch')
        .set({ edition_hash: from?.edition_hash ?? '' })
        .where('id', '=', to?.id ?? '')
        .execute()
    }

    const proof = issue && (await reconcileIssue(database.db, issue))

    expect(batches).toHaveLength(2)
    expect(proof?.violations).toEqual([
      { invariant: 6, what: 'reader 1 needed the corrections 1.1 and got none' },
      { invariant: 6, what: 'reader 2 needed no correction and got 1.1' },
    ])
  })

  it('is in what a reader gets who chose otherwise while the issue was planned, if they need it', async () => {
    const weeks = await mailedAndRevised(glyph([1, 3]))
    await readerWho(database, 'new')
    const issue = await weeks.draft('2026-W47')
    const whole = await loadEdition(database.db, issue.edition_hash ?? '')
    const plain = toldOnly(whole, [])
    await database.db
      .insertInto('edition')
      .values({ ...plain, issue_id: issue.id, frozen_at: weeks.clock(), variant_of: whole.hash })
      .execute()
    const choices = [
      { choice: 'weekly', hash: plain.hash, reason: null },
      { choice: 'weekly!1.1', hash: whole.hash, reason: null },
    ]
    await preparePartition(database.db, issue.id)
    await database.db.updateTable('subscriber').set({ cadence: 'monthly' }).execute()

    await database.db
      .transaction()
      .execute((trx) => planDeliveries(trx, issue, { size: 100, keyId: 'k1', choices }, weeks.clock()))

    const planned = await database.db
      .selectFrom('delivery as d')
      .innerJoin('batch as b', 'b.id', 'd.batch_id')
      .select(['d.address', 'b.edition_hash as hash'])
      .where('d.issue_id', '=', issue.id)
      .orderBy('d.address')
      .execute()
    expect(planned).toEqual([
      { address: 'ann@example.test', hash: whole.hash },
      { address: 'new@example.test', hash: plain.hash },
    ])
  })

  it('is not corrected once it is retracted', async () => {
    const weeks = await mailedAndRevised(glyph([1, 3]))
    await weeks.draft('2026-W47')
    await weeks.publish({ ...glyph([1, 3]), retracted: true }, '2026-11-19T16:00:00Z')

    await weeks.send('2026-W47')

    expect(readers(weeks, '2026-W47')).toEqual(['ann'])
    expect(corrected(weeks, '2026-W47')).toEqual([])
  })

  it('is corrected with the approved words for who follows a part, when the templates changed since the draft', async () => {
    const weeks = await openWeeks(database)
    await readerWho(database, 'design', { follows: 'Design' })
    await readerWho(database, 'data', { follows: 'Data' })
    await weeks.publish(glyph(), first)
    await weeks.run('2026-W46', ['Data'])
    await weeks.publish(glyph([1, 3]), second)
    await weeks.draft('2026-W47', ['Design', 'Data'])
    Object.assign(weeks.deps, { setting: { ...weeks.deps.setting, postalAddress: '2 Other Street' } })

    await weeks.send('2026-W47')

    expect(corrected(weeks, '2026-W47')).toEqual(['design'])
    for (const name of ['design', 'data'])
      expect(mailTo(weeks, '2026-W47', name).text).toContain('1 Example Street')
    await provedSound('2026-W47')
  })

  it('is rolled up for the month as it is now, and corrected with it for who was told otherwise', async () => {
    const weeks = await openWeeks(database)
    await readerWho(database, 'mona', 'monthly')
    const turned = await readerWho(database, 'turned')
    await weeks.publish(glyph(), first)
    await weeks.run('2026-W46')
    await database.db
      .updateTable('subscriber')
      .set({ cadence: 'monthly' })
      .where('id', '=', turned.id)
      .execute()
    await weeks.publish(glyph([1, 3]), second)

    await weeks.run('2026-W49')
    await weeks.publish(glyph([4, 3]), '2026-12-28T10:00:00Z')
    await weeks.run('2027-W01')

    const [december, january] = [
      mailTo(weeks, '2026-W49', 'mona').text,
      mailTo(weeks, '2027-W01', 'mona').text,
    ]
    expect(flat(december)).toContain('25 %, 1 of 4 ship it')
    expect(corrected(weeks, '2026-W49')).toEqual(['turned'])
    expect(flat(january)).toContain('In the issue of 4 December we told you that the panel skips glyph left')
    expect(corrected(weeks, '2027-W01')).toEqual(['mona', 'turned'])
    await provedSound('2026-W49', '2027-W01')
  })

  it('shows each reader’s own preview before it is sent, and on the web what everybody was told', async () => {
    const weeks = await openWeeks(database)
    const names = ['ann', 'new', 'design', 'mona'] as const
    await readerWho(database, 'ann')
    await readerWho(database, 'design', { follows: 'Design' })
    await readerWho(database, 'mona', 'monthly')
    await weeks.publish(glyph(), first)
    await weeks.run('2026-W46')
    await weeks.publish(glyph([1, 3]), second)
    await readerWho(database, 'new')
    const issue = await weeks.draft('2026-W47', ['Design', 'Data'])
    const foreseen = await Promise.all(
      names.map((name) => previewEdition(weeks.deps, issue, `${name}@example.test`)),
    )
    const anybody = await previewEdition(weeks.deps, issue)

    await weeks.send('2026-W47')

    for (const [index, name] of names.entries()) {
      const preview = foreseen[index]
      if (name === 'mona') expect(preview).toMatchObject({ kind: 'nothing' })
      else expect(preview).toMatchObject(bodyOf(mailTo(weeks, '2026-W47', name)))
    }
    expect(corrected(weeks, '2026-W47')).toEqual(['ann', 'design'])
    expect(anybody).toMatchObject({ text: expect.stringContaining('Correction: glyph left vs glyph right') })
  })
})

/** Who is on the list when week 46 is planned; of it the provider refuses one, and one leaves before the claim. */
async function everyKindOfReader() {
  const kinds = {
    weekly: await readerWho(database, 'weekly'),
    second: await readerWho(database, 'second'),
    design: await readerWho(database, 'design', { follows: 'Design' }),
    data: await readerWho(database, 'data', { follows: 'Data' }),
    monthly: await readerWho(database, 'monthly', 'monthly'),
    refused: await readerWho(database, 'refused'),
    left: await readerWho(database, 'left'),
    paused: await readerWho(database, 'paused'),
  }
  return kinds
}

/** Week 46 told Ann of a comparison; on Tuesday it was revised. */
async function mailedAndRevised(after: ComparisonDocument, before = glyph()): Promise<Weeks> {
  const weeks = await openWeeks(database)
  await readerWho(database, 'ann')
  await weeks.publish(before, first)
  await weeks.run('2026-W46')
  await weeks.publish(after, second)
  return weeks
}

function withPrice(entryPrice: 'paid'): ComparisonDocument {
  const document = glyph()
  return { ...document, tools: document.tools.map((tool) => ({ ...tool, entryPrice })) }
}

async function pause({ deps }: Weeks, publicId: string) {
  const at = Temporal.Instant.from('2027-03-01T00:00:00Z')
  await pauseReader(deps, publicId, { day: Temporal.PlainDate.from('2027-03-01'), at })
}

function readers({ taken }: Weeks, week: string, says = ''): readonly string[] {
  return taken
    .filter((mail) => mail.week === week && mail.text.includes(says))
    .map(({ to }) => to)
    .toSorted()
}

function corrected(weeks: Weeks, week: string): readonly string[] {
  const inText = readers(weeks, week, 'Correction: ')
  const inHtml = weeks.taken.filter((mail) => mail.week === week && mail.html.includes('Correction: '))
  expect(inHtml.map(({ to }) => to).toSorted()).toEqual(inText)
  return inText
}

function toldOf(slug: string, weeks: Weeks, week: string): readonly string[] {
  return readers(weeks, week, `${slug} left vs ${slug} right`)
}

function mailTo({ taken }: Weeks, week: string, name: string): Taken {
  const mails = taken.filter((mail) => mail.week === week && mail.to === name)
  expect(mails).toHaveLength(1)
  const [mail] = mails
  if (!mail) throw new Error(`${name} got nothing of ${week}`)
  return mail
}

function bodyOf({ subject, html, text }: Taken) {
  return { subject, html, text }
}

function flat(text: string): string {
  return text.replace(/\s+/g, ' ')
}

async function provedSound(...weeks: readonly string[]) {
  for (const week of weeks) {
    const issue = await findIssue(database.db, week)
    expect(issue && (await reconcileIssue(database.db, issue)).violations).toEqual([])
  }
}
