import { parseHTML } from 'linkedom'
import { describe, expect, it } from 'vitest'
import { pauseReader } from '../../src/subscriber/pause.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { documentFor } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { deskOn } from '../setup/desk.ts'
import { openPostOffice } from '../setup/post-office.ts'
import { inCategory, openWeeks, readerWho } from '../setup/weeks.ts'

const database = useDatabase()
const [mailed, revised] = ['2026-11-11T10:00:00Z', '2026-11-17T10:00:00Z']
const glyph = (ships: number) =>
  inCategory(documentFor('glyph', { publishedAt: mailed }, [ships, 0]), 'Design')

describe('what an issue corrects, at the desk', () => {
  it('is shown in the words that are mailed, with how many get it, and why others do not', async () => {
    const page = await pageOfCorrectedIssue()

    const section = page.querySelector('#corrections')
    expect(section?.querySelector('a')?.getAttribute('href')).toBe('/compare/glyph')
    expect(textOf(section)).toContain(
      'In the issue of 13 November we told you that the panel ships glyph left, 4 of 4. Since 17 November the panel skips glyph left, with 1 of 4 for it.',
    )
    expect(textOf(section)).toContain(
      'Goes to 2 readers. Waits for 1 paused and 1 who get nothing of this issue: it comes with the next issue they get. 1 more is off the list.',
    )
  })

  it('is in the preview as a reader who was told otherwise, and not in a new reader’s', async () => {
    const page = await pageOfCorrectedIssue('?view=text')
    const asNew = await pageOfCorrectedIssue('?view=text&as=new', { isThere: true })

    expect([...page.querySelectorAll('.kinds a')].slice(0, 2).map((link) => textOf(link))).toEqual([
      'A weekly reader, told otherwise before',
      'A new reader, weekly',
    ])
    expect(textOf(page.querySelector('pre.letter'))).toContain('Correction: glyph left vs glyph right')
    expect(textOf(asNew.querySelector('pre.letter'))).not.toContain('Correction:')
  })

  it('has no section where nothing is corrected', async () => {
    const weeks = await openWeeks(database)
    await weeks.draft('2026-W47')
    const eve = await deskOn(database, { clock: weeks.clock, mail: openPostOffice() }).signedIn()

    const { document } = parseHTML(await (await eve.get('/desk/issues/2026-W47')).text())

    expect(document.querySelector('#corrections')).toBeNull()
  })
})

async function pageOfCorrectedIssue(query = '', { isThere = false } = {}) {
  const weeks = await openWeeks(database)
  if (!isThere) {
    await readerWho(database, 'ann')
    await readerWho(database, 'bob')
    const away = await readerWho(database, 'away')
    const gone = await readerWho(database, 'gone')
    const turned = await readerWho(database, 'turned')
    await weeks.publish(glyph(4), mailed)
    await weeks.run('2026-W46')
    await weeks.publish(glyph(1), revised)
    const at = Temporal.Instant.from('2027-03-01T00:00:00Z')
    await pauseReader(weeks.deps, away.publicId, { day: Temporal.PlainDate.from('2027-03-01'), at })
    await unsubscribe(weeks.deps, gone.publicId, 'page')
    await database.db
      .updateTable('subscriber')
      .set({ cadence: 'followed' })
      .where('id', '=', turned.id)
      .execute()
    await weeks.draft('2026-W47')
  }
  weeks.clock.moveTo('2026-11-19T15:00:00Z')
  const eve = await deskOn(database, { clock: weeks.clock, mail: openPostOffice() }).signedIn()
  return parseHTML(await (await eve.get(`/desk/issues/2026-W47${query}`)).text()).document
}

function textOf(part: { readonly textContent: string | null } | null | undefined): string {
  return (part?.textContent ?? '').replace(/\s+/g, ' ').trim()
}
