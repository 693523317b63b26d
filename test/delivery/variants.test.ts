import { describe, expect, it } from 'vitest'
import { runDraft } from '../../jobs/draft-issue.ts'
import { sendIssue } from '../../jobs/send-issue.ts'
import { previewEdition } from '../../src/delivery/preview.ts'
import { reconcileIssue } from '../../src/delivery/reconcile.ts'
import { noEdits } from '../../src/issue/edits.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { saveEdits } from '../../src/issue/save-edits.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { newsletterWith } from '../setup/newsletter.ts'
import { people, reader } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()

function newsletter(at: string) {
  const clock = clockAt(at)
  const mail = openPostOffice()
  return { clock, mail, deps: newsletterWith(database, { clock, transport: mail }) }
}

async function wants(
  id: number,
  cadence: 'monthly' | 'followed',
  follows: { category?: string; tool?: string } = {},
) {
  const { db } = database
  await db.updateTable('subscriber').set({ cadence }).where('id', '=', id).execute()
  if (follows.category)
    await db
      .insertInto('followed_category')
      .values({ subscriber_id: id, category: follows.category })
      .execute()
  if (follows.tool) {
    const tool = await db
      .selectFrom('tool')
      .select('id')
      .where('slug', '=', follows.tool)
      .executeTakeFirstOrThrow()
    await db.insertInto('followed_tool').values({ subscriber_id: id, tool_id: tool.id }).execute()
  }
}

function inCategory(slug: string, category: string) {
  const document = documentFor(slug, { publishedAt: '2026-11-18T10:00:00Z' })
  return { ...document, tools: document.tools.map((tool) => ({ ...tool, category })) }
}

async function outcomeFor(address: string, week = '2026-W47') {
  return database.db
    .selectFrom('delivery_state as d')
    .innerJoin('issue as i', 'i.id', 'd.issue_id')
    .select(['d.state', 'd.reason'])
    .where('i.week', '=', week)
    .where('d.address', '=', address)
    .executeTakeFirst()
}

describe('an issue for readers who want less than everything', () => {
  it('gives a reader who follows a category only what is in it, and says how much more there is', async () => {
    const { mail, deps } = newsletter('2026-11-19T14:00:00Z')
    await publish(database.db, inCategory('loom', 'Design'))
    await publish(database.db, inCategory('sieve', 'Data'))
    await people.ann(database.db)
    const bob = await people.bob(database.db)
    await wants(bob.id, 'followed', { category: 'Design' })
    await runDraft(deps, '2026-W47')

    await sendIssue(deps, '2026-W47', { early: true })

    const [toAnn, toBob] = ['ann', 'bob'].map((name) =>
      mail.accepted.find((sent) => sent.to.startsWith(name)),
    )
    expect(toAnn?.text).toContain('sieve left vs sieve right')
    expect(toBob?.text).toContain('loom left vs loom right')
    expect(toBob?.text).not.toContain('sieve left')
    expect(toBob?.text).toContain('1 comparison more this week')
    expect(toBob?.text).toContain('whenever something you follow is in it')
  })

  it('sends nothing to a reader who follows nothing that is in it, with the reason in the ledger', async () => {
    const { mail, deps } = newsletter('2026-11-19T14:00:00Z')
    await publish(database.db, inCategory('sieve', 'Data'))
    const cleo = await people.cleo(database.db)
    await people.ann(database.db)
    await wants(cleo.id, 'followed', { category: 'Design' })
    await runDraft(deps, '2026-W47')

    await sendIssue(deps, '2026-W47', { early: true })

    expect(mail.sentTo()).toEqual(['ann@example.test'])
    expect(await outcomeFor('cleo@example.test')).toEqual({
      state: 'excluded',
      reason: 'nothing they follow is in it',
    })
    const issue = await findIssue(database.db, '2026-W47')
    const proof = issue && (await reconcileIssue(database.db, issue))
    expect(proof).toMatchObject({ violations: [], account: { planned: 2, accepted: 1, excluded: 1 } })
  })

  it('finds a followed tool, and renders once for all who made the same choice', async () => {
    const { mail, deps } = newsletter('2026-11-19T14:00:00Z')
    await publish(database.db, inCategory('loom', 'Design'))
    await publish(database.db, inCategory('sieve', 'Data'))
    for (const name of ['dan', 'eve', 'fay']) {
      const { id } = await reader(database.db, name)
      await wants(id, 'followed', name === 'fay' ? { category: 'Design' } : { tool: 'loom-left' })
    }
    await runDraft(deps, '2026-W47')

    await sendIssue(deps, '2026-W47', { early: true })

    expect(mail.sentTo()).toHaveLength(3)
    const editions = await database.db.selectFrom('edition').select(['hash', 'variant_of']).execute()
    expect(editions).toHaveLength(2)
    expect(editions.filter((edition) => edition.variant_of !== null)).toHaveLength(1)
  })

  it('rolls last month up for a monthly reader with the first issue of a month, and only then', async () => {
    const { clock, mail, deps } = newsletter('2026-11-19T14:00:00Z')
    const ann = await people.ann(database.db)
    await wants(ann.id, 'monthly')
    await people.bob(database.db)
    const weeks = [
      ['2026-W47', 'loom', '2026-11-18T10:00:00Z', '2026-11-20T14:00:00Z'],
      ['2026-W48', 'sieve', '2026-11-25T10:00:00Z', '2026-11-27T14:00:00Z'],
      ['2026-W49', 'anvil', '2026-12-02T10:00:00Z', '2026-12-04T14:00:00Z'],
      ['2026-W50', 'bellow', '2026-12-09T10:00:00Z', '2026-12-11T14:00:00Z'],
    ] as const
    for (const [week, slug, publishedAt, due] of weeks) {
      await publish(database.db, documentFor(slug, { publishedAt }))
      clock.moveTo(due)
      await runDraft(deps, week)
      await sendIssue(deps, week)
    }

    const toAnn = mail.accepted.filter((sent) => sent.to === ann.address)
    expect(toAnn).toHaveLength(1)
    expect(toAnn[0]?.subject).toMatch(/^November’s verdicts.* · 2026-11$/)
    expect(toAnn[0]?.text).toContain('loom left vs loom right')
    expect(toAnn[0]?.text).toContain('sieve left vs sieve right')
    expect(toAnn[0]?.text).not.toContain('anvil')
    expect(mail.accepted.filter((sent) => sent.to === 'bob@example.test')).toHaveLength(4)
    expect(await outcomeFor(ann.address, '2026-W47')).toEqual({
      state: 'excluded',
      reason: 'monthly: no issue went out last month',
    })
    expect(await outcomeFor(ann.address, '2026-W50')).toMatchObject({ state: 'excluded' })
  })

  it('sets a variant from the comparisons as they were approved, not as they were revised since', async () => {
    const { mail, deps } = newsletter('2026-11-19T14:00:00Z')
    await publish(database.db, inCategory('loom', 'Design'))
    const bob = await people.bob(database.db)
    await wants(bob.id, 'followed', { category: 'Design' })
    await runDraft(deps, '2026-W47')
    await publish(database.db, { ...inCategory('loom', 'Design'), title: 'A title that nobody approved' })

    await sendIssue(deps, '2026-W47', { early: true })

    expect(mail.accepted[0]?.text).toContain('loom left vs loom right')
    expect(mail.accepted[0]?.text).not.toContain('nobody approved')
  })

  it('gives everybody the approved bytes when the templates have changed since', async () => {
    const { mail, deps } = newsletter('2026-11-19T14:00:00Z')
    await publish(database.db, inCategory('loom', 'Design'))
    await publish(database.db, inCategory('sieve', 'Data'))
    const bob = await people.bob(database.db)
    await wants(bob.id, 'followed', { category: 'Design' })
    await runDraft(deps, '2026-W47')
    const moved = { ...deps, setting: { ...deps.setting, postalAddress: '2 Other Street, Example Town' } }

    await sendIssue(moved, '2026-W47', { early: true })

    expect(mail.accepted[0]?.text).toContain('sieve left vs sieve right')
    expect(mail.accepted[0]?.text).toContain('1 Example Street')
  })

  it('previews for each reader the very bytes that they then get, or says why they get none', async () => {
    const { mail, deps } = newsletter('2026-11-19T14:00:00Z')
    await publish(database.db, inCategory('loom', 'Design'))
    await publish(database.db, inCategory('sieve', 'Data'))
    const [ann, bob, cleo] = [
      await people.ann(database.db),
      await people.bob(database.db),
      await people.cleo(database.db),
    ]
    await wants(bob.id, 'followed', { category: 'Data' })
    await wants(cleo.id, 'monthly')
    await runDraft(deps, '2026-W47')
    const issue = await findIssue(database.db, '2026-W47')
    if (!issue) throw new Error('not drafted')
    const before = await Promise.all(
      [ann, bob, cleo].map(({ address }) => previewEdition(deps, issue, address)),
    )

    await sendIssue(deps, '2026-W47', { early: true })

    const got = [ann, bob].map(({ address }) => mail.accepted.find((sent) => sent.to === address))
    expect(before[0]).toMatchObject({ html: got[0]?.html, text: got[0]?.text, subject: got[0]?.subject })
    expect(before[1]).toMatchObject({ html: got[1]?.html, text: got[1]?.text, subject: got[1]?.subject })
    expect(before[2]).toMatchObject({ kind: 'nothing', reason: 'monthly: no issue went out last month' })
  })

  it('has an editor’s intro, order and quotes in a part of the issue, and the subject only where the lead is', async () => {
    const { mail, deps } = newsletter('2026-11-19T14:00:00Z')
    for (const [slug, category] of [
      ['loom', 'Design'],
      ['sieve', 'Data'],
      ['anvil', 'Data'],
    ] as const)
      await publish(database.db, inCategory(slug, category))
    const [ann, bob, cleo] = [
      await people.ann(database.db),
      await people.bob(database.db),
      await people.cleo(database.db),
    ]
    await wants(bob.id, 'followed', { category: 'Data' })
    await wants(cleo.id, 'followed', { category: 'Design' })
    await runDraft(deps, '2026-W47')

    await saveEdits(deps, '2026-W47', {
      ...{ base: 0, by: 'eve@example.test' },
      edits: {
        ...{
          ...noEdits,
          subject: 'What an editor called it',
          intro: 'A *note*.',
          order: ['sieve', 'loom', 'anvil'],
        },
        quotes: { loom: ['it earns what it costs', null] },
      },
    })
    await sendIssue(deps, '2026-W47', { early: true })

    const got = [ann, bob, cleo].map(({ address }) => mail.accepted.find((sent) => sent.to === address))
    expect(got.map((sent) => sent?.subject === 'What an editor called it')).toEqual([true, true, false])
    for (const sent of got) expect(sent?.html).toContain('A <em>note</em>.')
    expect(got[1]?.text.indexOf('sieve left vs')).toBeLessThan(got[1]?.text.indexOf('anvil left vs') ?? 0)
    expect(got[2]?.text).toContain('“it earns what it costs”')
    expect(got[2]?.text).not.toContain('sieve left')
  })

  it('rolls last month up with the quotes that its issues had, this issue’s note, and the month’s own subject', async () => {
    const { clock, mail, deps } = newsletter('2026-11-26T14:00:00Z')
    const ann = await people.ann(database.db)
    await wants(ann.id, 'monthly')
    await people.bob(database.db)
    await publish(database.db, documentFor('sieve', { publishedAt: '2026-11-25T10:00:00Z' }))
    await runDraft(deps, '2026-W48')
    const quotes = { sieve: ['it earns what it costs', null] as const }
    await saveEdits(deps, '2026-W48', { base: 0, by: 'eve@example.test', edits: { ...noEdits, quotes } })
    await sendIssue(deps, '2026-W48', { early: true })
    clock.moveTo('2026-12-03T14:00:00Z')
    await publish(database.db, documentFor('anvil', { publishedAt: '2026-12-02T10:00:00Z' }))
    await runDraft(deps, '2026-W49')
    const edits = { ...noEdits, subject: 'What an editor called it', intro: 'December.' }
    await saveEdits(deps, '2026-W49', { base: 0, by: 'eve@example.test', edits })

    await sendIssue(deps, '2026-W49', { early: true })

    const monthly = mail.accepted.find((sent) => sent.to === ann.address)
    expect(monthly?.subject).toMatch(/^November’s verdicts/)
    expect(monthly?.text).toContain('December.')
    expect(monthly?.text).toContain('“it earns what it costs”')
  })
})
