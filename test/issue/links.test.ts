import { describe, expect, it } from 'vitest'
import { runDraft } from '../../jobs/draft-issue.ts'
import { sendIssue } from '../../jobs/send-issue.ts'
import { previewEdition } from '../../src/delivery/preview.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { goUrl, type LinkTarget, linksOf, linkTargets, withDirectLinks } from '../../src/issue/links.ts'
import type { Mail } from '../../src/mail/email.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { newsletterWith } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const site = 'https://news.example.com'

function newsletter(at = '2026-11-19T14:00:00Z') {
  const clock = clockAt(at)
  const mail = openPostOffice()
  return { clock, mail, deps: newsletterWith(database, { clock, transport: mail }) }
}

describe('the links of an issue', () => {
  const issue = { week: '2026-W47', comparisons: [{ slug: 'loom' }, { slug: 'sieve' }] }

  it('are one for each comparison, in order, and the trap, which leads to the issue', () => {
    const links = linksOf(issue, { publicUrl: site })

    expect(links.map(({ kind, target }) => [kind, target])).toEqual([
      ['comparison', `${site}/compare/loom`],
      ['comparison', `${site}/compare/sieve`],
      ['trap', `${site}/issues/2026-W47`],
    ])
    expect(new Set(links.map(({ id }) => id)).size).toBe(3)
    for (const { id } of links) expect(id).toMatch(/^[a-z0-9]{12}$/)
  })

  it('have the same ids each time, and other ids in another week', () => {
    const ids = (week: string) => linksOf({ ...issue, week }, { publicUrl: site }).map(({ id }) => id)

    expect(ids('2026-W47')).toEqual(ids('2026-W47'))
    expect(ids('2026-W48').filter((id) => ids('2026-W47').includes(id))).toEqual([])
  })

  it('keep the path of a site that is not at its root', () => {
    const [first] = linksOf(issue, { publicUrl: `${site}/weekly/` })

    expect(first?.target).toBe(`${site}/weekly/compare/loom`)
    expect(first && goUrl(`${site}/weekly/`, first)).toBe(`${site}/weekly/go/${first?.id}`)
  })

  it('lead straight to their targets on the web', () => {
    const link = { id: 'abcdefghij12', target: `${site}/compare/a?x=1&y="2"` }

    expect(withDirectLinks(`<a href="${goUrl(site, link)}">Read</a>`, site, [link])).toBe(
      `<a href="${site}/compare/a?x&#x3D;1&amp;y&#x3D;&quot;2&quot;">Read</a>`,
    )
  })
})

describe('a draft', () => {
  it('stores where its links lead, with the edition that carries them', async () => {
    const { deps } = newsletter()
    await publish(database.db, documentFor('loom'))

    const { edition } = await runDraft(deps, '2026-W47')

    const links = await linksOfWeek('2026-W47')
    expect(links.map(({ target }) => target).toSorted()).toEqual([
      `${site}/compare/loom`,
      `${site}/issues/2026-W47`,
    ])
    expect(idsIn(edition?.html ?? '')).toEqual(new Set(links.map(({ id }) => id)))
  })

  it('that is made again loses none of the links of the one before', async () => {
    const { deps } = newsletter()
    await publish(database.db, documentFor('loom'))
    await publish(database.db, documentFor('sieve'))
    await runDraft(deps, '2026-W47')
    const before = await linksOfWeek('2026-W47')
    await publish(database.db, documentFor('loom', { retracted: true }))

    await runDraft(deps, '2026-W47')

    expect(await linksOfWeek('2026-W47')).toEqual(before)
    const placed = await database.db
      .selectFrom('link')
      .select(['target', 'position'])
      .where('position', 'is not', null)
      .execute()
    expect(placed).toEqual([{ target: `${site}/compare/sieve`, position: 1 }])
  })

  it('shows in its preview where its links lead', async () => {
    const { deps } = newsletter()
    await publish(database.db, documentFor('loom'))
    await runDraft(deps, '2026-W47')
    const issue = await findIssue(database.db, '2026-W47')

    const preview = issue && (await previewEdition(deps, issue))

    expect(preview).toMatchObject({
      links: expect.arrayContaining([expect.objectContaining({ target: `${site}/compare/loom` })]),
    })
  })

  it('whose links are not stored is blocked', async () => {
    const { deps, mail } = newsletter()
    await publish(database.db, documentFor('loom'))
    await people.ann(database.db)
    await runDraft(deps, '2026-W47')
    await database.db.deleteFrom('link').execute()

    const sent = await sendIssue(deps, '2026-W47', { early: true })

    expect(sent).toMatchObject({
      kind: 'refused',
      problem: expect.stringContaining('a counted link leads nowhere'),
    })
    expect(mail.accepted).toEqual([])
  })
})

describe('a mail that was sent', () => {
  it('has no link that leads nowhere, whatever its reader chose', async () => {
    const { clock, mail, deps } = newsletter()
    const [ann, bob] = [await people.ann(database.db), await people.bob(database.db)]
    await people.cleo(database.db)
    await database.db.updateTable('subscriber').set({ cadence: 'monthly' }).where('id', '=', ann.id).execute()
    await database.db
      .updateTable('subscriber')
      .set({ cadence: 'followed' })
      .where('id', '=', bob.id)
      .execute()
    await database.db
      .insertInto('followed_category')
      .values({ subscriber_id: bob.id, category: 'Design' })
      .execute()
    await sendWeek(deps, clock, '2026-W48', '2026-11-27T14:00:00Z', ['loom'])
    await sendWeek(deps, clock, '2026-W49', '2026-12-04T14:00:00Z', ['anvil', 'sieve'])

    const targets = new Map((await allLinks()).map(({ id, target }) => [id, target]))
    const leads = (to: string) =>
      mail.accepted.filter((sent) => sent.to === to).map((sent) => targetsIn(sent, targets))

    expect(leads('ann@example.test')).toEqual([[`${site}/compare/loom`, `${site}/issues/2026-W49`]])
    expect(leads('bob@example.test')).toEqual([[`${site}/compare/anvil`, `${site}/issues/2026-W49`]])
    expect(leads('cleo@example.test')[1]).toEqual([
      `${site}/compare/anvil`,
      `${site}/compare/sieve`,
      `${site}/issues/2026-W49`,
    ])
  })

  it('has the same links as everybody’s', async () => {
    const { clock, mail, deps } = newsletter()
    for (const name of ['ann', 'bob', 'cleo'] as const) await people[name](database.db)

    await sendWeek(deps, clock, '2026-W48', '2026-11-27T14:00:00Z', ['loom', 'sieve'])

    const [anns, ...others] = mail.accepted.map(({ html, text }) => [[...idsIn(html)], [...idsIn(text)]])
    expect(anns?.[0]).toHaveLength(3)
    expect(anns?.[1]).toHaveLength(2)
    expect(others).toEqual([anns, anns])
  })
})

type Deps = ReturnType<typeof newsletter>['deps']

async function sendWeek(
  deps: Deps,
  clock: { moveTo(at: string): void },
  week: string,
  due: string,
  slugs: readonly string[],
): Promise<void> {
  const publishedAt = Temporal.Instant.from(due).subtract({ hours: 48 }).toString()
  for (const slug of slugs) {
    const document = documentFor(slug, { publishedAt })
    const category = slug === 'anvil' ? 'Design' : 'Data'
    await publish(database.db, {
      ...document,
      tools: document.tools.map((tool) => ({ ...tool, category })),
    })
  }
  clock.moveTo(due)
  await runDraft(deps, week)
  await sendIssue(deps, week)
}

async function linksOfWeek(week: string): Promise<readonly LinkTarget[]> {
  const issue = await findIssue(database.db, week)
  const links = issue ? await linkTargets(database.db, issue.id) : []
  return links.toSorted((a, b) => a.id.localeCompare(b.id))
}

function allLinks(): Promise<readonly LinkTarget[]> {
  return database.db.selectFrom('link').select(['id', 'target']).execute()
}

function idsIn(part: string): Set<string> {
  return new Set([...part.matchAll(/\/go\/([a-z0-9]+)/g)].map(([, id]) => id ?? ''))
}

function targetsIn({ html }: Mail, targets: ReadonlyMap<string, string>): readonly string[] {
  return [...idsIn(html)].map((id) => targets.get(id) ?? 'nowhere').toSorted()
}
