import { describe, expect, it } from 'vitest'
import { deliverIssue } from '../../src/delivery/deliver.ts'
import { castVote } from '../../src/subscriber/cast-vote.ts'
import { requestAddressChange } from '../../src/subscriber/change-address.ts'
import { explainDeparture } from '../../src/subscriber/departure.ts'
import { exportReader } from '../../src/subscriber/export.ts'
import { savePreferences } from '../../src/subscriber/preferences.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { clockAt } from '../setup/clock.ts'
import { useDatabase } from '../setup/database.ts'
import { plannedIssue } from '../setup/delivery.ts'
import { testKeys } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()
const clock = clockAt('2026-11-20T15:00:00Z')

describe('what is held about a reader', () => {
  it('is all of it, in one document', async () => {
    const [ann] = [await people.ann(database.db), await people.bob(database.db)]
    const { deps, issue } = await plannedIssue(database)
    await deliverIssue(deps, issue.id)
    const all = { db: database.db, clock, keys: testKeys }
    await savePreferences(all, ann.publicId, {
      cadence: 'monthly',
      categories: ['Developer Tools'],
      tools: [],
    })
    await castVote(all, ann.publicId, {
      ...{ toolId: 1, verdict: 'skip', comparisonId: 1, issueId: issue.id, network: '192.0.2.0/24' },
    })
    await requestAddressChange(all, ann.publicId, 'ann@new.test')
    await unsubscribe(all, ann.publicId, 'page')
    await explainDeparture(all, ann.publicId, { why: 'too often', words: null })

    const held = JSON.parse(JSON.stringify(await exportReader(database.db, ann.publicId)))

    expect(held).toEqual({
      reader: {
        ...{
          public_id: ann.publicId,
          address: 'ann@example.test',
          status: 'unsubscribed',
          cadence: 'monthly',
        },
        ...{ created_at: '2026-01-05T12:00:00Z', confirmed_at: '2026-01-05T12:00:00Z' },
        ...{ paused_until: null, unsubscribed_at: '2026-11-20T15:00:00Z' },
      },
      follows: { categories: ['Developer Tools'], tools: [] },
      votes: [
        {
          ...{ tool: 'glyphmoor-vs-kernwick-left', comparison: 'glyphmoor-vs-kernwick', verdict: 'skip' },
          ...{ cast_at: '2026-11-20T15:00:00Z', changed_at: '2026-11-20T15:00:00Z' },
          ...{ network: '192.0.2.0/24', set_aside: false },
        },
      ],
      departure: { at: '2026-11-20T15:00:00Z', why: 'too often', words: null },
      suppression: [],
      consent: [
        expect.objectContaining({ kind: 'imported', method: 'by hand', detail: 'a test' }),
        expect.objectContaining({ kind: 'preferences changed', method: 'page' }),
        expect.objectContaining({ kind: 'unsubscribed', method: 'page' }),
      ],
      deliveries: [
        {
          ...{ week: '2026-W47', planned_at: '2026-11-20T14:00:00Z', address: 'ann@example.test' },
          ...{ state: 'accepted', reason: null, provider_id: `id-2026-W47.${ann.publicId}` },
          ...{ feedback: null, feedback_at: null },
        },
      ],
      letters: [expect.objectContaining({ kind: 'confirm new address', to_address: 'ann@new.test' })],
      events: [],
    })
    expect(JSON.stringify(held)).not.toContain('bob')
  })

  it('is nothing under an id that is nobody’s', async () => {
    expect(await exportReader(database.db, '3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f')).toBeUndefined()
  })
})
