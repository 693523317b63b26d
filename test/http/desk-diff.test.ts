import { parseHTML } from 'linkedom'
import { describe, expect, it } from 'vitest'
import { runDraft } from '../../jobs/draft-issue.ts'
import { sendIssue } from '../../jobs/send-issue.ts'
import { decide } from '../../src/issue/decide.ts'
import { dropRetracted } from '../../src/issue/draft.ts'
import { diffEditions } from '../../src/issue/edition-diff.ts'
import { publishComparison } from '../../src/verdict/publish.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { type Browser, deskOn } from '../setup/desk.ts'
import { newsletterWith } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()

/** Week 46 with loom, sent; week 47 with sieve and quern as a draft; and eve at the desk. */
async function twoIssues() {
  const clock = clockAt('2026-11-12T14:00:00Z')
  const mail = openPostOffice()
  const deps = newsletterWith(database, { clock, transport: mail })
  await people.ann(database.db)
  await publish(database.db, documentFor('loom', { publishedAt: '2026-11-10T10:00:00Z' }))
  await runDraft(deps, '2026-W46')
  await sendIssue(deps, '2026-W46', { early: true })
  clock.moveTo('2026-11-19T14:00:00Z')
  for (const slug of ['sieve', 'quern'])
    await publish(database.db, documentFor(slug, { publishedAt: '2026-11-17T10:00:00Z' }))
  await runDraft(deps, '2026-W47')
  return { clock, deps, eve: await deskOn(database, { clock, mail }).signedIn() }
}

async function diffPage(eve: Browser, query = '') {
  const answer = await eve.get(`/desk/issues/2026-W47/diff${query}`)
  const { document } = parseHTML(await answer.text())
  const all = (selector: string) =>
    [...document.querySelectorAll(selector)].map((one) => one.textContent?.trim() ?? '')
  return { status: answer.status, document, all, main: all('main')[0] ?? '' }
}

describe('what is different', () => {
  it('is told against last week’s edition: subject, figures, outline, links and text', async () => {
    const { eve } = await twoIssues()

    const { all, document } = await diffPage(eve)

    expect(all('.lede')).toEqual(['2026-W47 as it is now, against 2026-W46.'])
    expect(all('.inbox del').join()).toContain('loom')
    expect(all('.inbox ins').join()).toMatch(/quern|sieve/)
    const figures = [...document.querySelectorAll('.tight tbody tr')].map((row) =>
      [...row.querySelectorAll('th, td')].map((cell) => cell.textContent).join(' '),
    )
    expect(figures).toContain('Headings, second level 1 2 +1')
    expect(figures).toContain('Headings, first level 1 1 the same')
    expect(figures.some((row) => /^Bytes of HTML [\d,]+ [\d,]+ \+[\d,]+$/.test(row))).toBe(true)
    const outlined = [...document.querySelectorAll('.outline ins')].map((line) => line.textContent)
    expect(outlined).toContain('added: h2: quern left vs quern right')
    const [added, removed, same] = [...document.querySelectorAll('.targets')].map((list) => list.textContent)
    expect(added).toContain('https://news.example.com/compare/quern')
    expect(removed).toContain('https://news.example.com/compare/loom')
    expect(same).toContain('the reader’s own: unsubscribe')
    expect(all('#text ~ p del').join()).toContain('removed: loom')
    expect(all('#text ~ p ins').join()).toContain('added: quern')
  })

  it('says in words what was added and what was removed, not by colour alone', async () => {
    const { eve } = await twoIssues()

    const { all } = await diffPage(eve)

    for (const one of all('.diff del, .outline del')) expect(one).toMatch(/^removed: /)
    for (const one of all('.diff ins, .outline ins')) expect(one).toMatch(/^added: /)
  })

  it('is told against the edition that was approved, once another one has taken its place', async () => {
    const { deps, clock, eve } = await twoIssues()
    await decide(deps, '2026-W47', 'approve', 'eve@example.test')
    await publishComparison(
      { ...deps, clock: () => clock() },
      { ...documentFor('quern', { publishedAt: '2026-11-17T10:00:00Z' }), retracted: true },
    )
    const before = await diffPage(eve, '?against=approved')
    await dropRetracted(deps, '2026-W47')

    const { all, main } = await diffPage(eve)

    expect(before.status).toBe(404)
    expect(all('.lede')).toEqual([
      '2026-W47 as it is now, against the edition that eve@example.test approved.',
    ])
    expect(all('option')).toEqual(['the edition that eve@example.test approved', '2026-W46'])
    expect(main).toContain('Headings, second level')
    expect(all('.outline del')).toContain('removed: h2: quern left vs quern right')
  })

  it('is nothing between an edition and itself', async () => {
    const { deps, eve } = await twoIssues()
    const { html, text, subject, preheader } = await database.db
      .selectFrom('edition')
      .selectAll()
      .limit(1)
      .executeTakeFirstOrThrow()
    const one = { edition: { html, text, subject, preheader }, links: [] }

    const diff = await diffEditions(one, one, deps.setting)

    expect(diff).toMatchObject({ isSame: true, links: { added: [], removed: [] } })
    expect(diff.figures.every(({ before, after }) => before === after)).toBe(true)
    expect(diff.text).toEqual([expect.objectContaining({ kind: 'same' })])
    expect((await diffPage(eve, '?against=2026-W47')).status).toBe(404)
  })

  it('teaches what it will be for while there is no earlier issue', async () => {
    const { eve } = await twoIssues()

    const { document } = parseHTML(await (await eve.get('/desk/issues/2026-W46/diff')).text())

    expect(document.querySelector('.empty')?.textContent).toContain('Nothing to compare with yet')
  })

  it.each(['?against=2026-W40', '?against=2026-W45'])('has nothing to show for %s', async (query) => {
    const { eve } = await twoIssues()

    const { status, main } = await diffPage(eve, query)

    expect(status).toBe(404)
    expect(main).toContain('There is no such edition to compare with.')
  })

  it('shows words that look like markup as words', async () => {
    const { deps, clock, eve } = await twoIssues()
    const title = '<img src=x onerror=alert(1)> vs {{tool}}'
    await publish(database.db, documentFor('markup', { title, publishedAt: '2026-11-18T10:00:00Z' }))
    clock.moveTo('2026-11-19T14:30:00Z')
    await runDraft(deps, '2026-W47')

    const { document } = await diffPage(eve)

    expect(document.querySelector('main img, main script')).toBeNull()
    expect(document.querySelector('.outline')?.textContent).toContain(title)
  })
})
