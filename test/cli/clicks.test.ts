import { expect, it } from 'vitest'
import { useCommandLine } from '../setup/cli.ts'
import { drafted } from '../setup/drafted.ts'

const verdict = useCommandLine()
const week = '2099-W10'
const sent = Temporal.Instant.from('2099-03-06T14:00:00Z')

it('`status WEEK` tells how often an issue’s links were followed, with and without programs', async () => {
  await verdict.withDatabase(async ({ db }) => {
    await drafted(db, week)
    await db.updateTable('issue').set({ state: 'sent', planned_at: sent }).execute()
    const link = await db
      .selectFrom('link')
      .select('id')
      .where('kind', '=', 'comparison')
      .executeTakeFirstOrThrow()
    const click = { link_id: link.id, at: sent, network: 1, head: false }
    await db
      .insertInto('click')
      .values([
        { ...click, visitor: 2, agent: 'browser' },
        { ...click, visitor: 3, agent: 'program' },
      ])
      .execute()
  })

  const { stdout } = await verdict.run(['status', week])
  const { json } = await verdict.run(['status', week, '--json'])

  expect(stdout).toContain('Clicks: 2, without programs 1 (1 by their agent)')
  expect(stdout).toMatch(/^ +2 +1 +1 {2}left-2099-w10-vs-right left vs /m)
  expect(json).toMatchObject({
    issues: [{ week, clicks: { raw: 2, filtered: 1, links: [{ place: 1, raw: 2, filtered: 1 }] } }],
  })
})
