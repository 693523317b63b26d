import { describe, expect, it } from 'vitest'
import { clockAt } from '../setup/clock.ts'
import { useDatabase } from '../setup/database.ts'
import { friday, plannedIssue } from '../setup/delivery.ts'
import { type Browser, deskOn } from '../setup/desk.ts'
import { deskRoutesOf, isDoor, pathWith, valuesIn } from '../setup/desk-routes.ts'
import { type DeskWorld, deskWorld } from '../setup/desk-world.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()
const site = 'https://news.example.com'

/** How a session ends, each told what it needs of the world to make it so. */
const ends: readonly (readonly [string, (world: DeskWorld, eve: Browser) => Promise<Browser>])[] = [
  [
    'signed out in another window',
    async (world, eve) => {
      const copy = copyOf(world.desk, eve)
      await eve.post('/desk/sign-out')
      return copy
    },
  ],
  [
    'signed out everywhere from another browser',
    async (world, eve) => {
      await (await world.desk.signedIn()).post('/desk/sign-out/everywhere')
      return eve
    },
  ],
  [
    'was idle for an hour',
    async (world, eve) => {
      world.clock.pass('PT1H1S')
      return eve
    },
  ],
  [
    'has worked for twelve hours without a pause',
    async (world, eve) => {
      for (let halves = 0; halves < 24; halves += 1) {
        world.clock.pass('PT30M')
        await eve.get('/desk/log')
      }
      return eve
    },
  ],
  [
    'is no longer in EDITORS',
    async (world, eve) => {
      const { clock } = world
      return copyOf(deskOn(database, { clock, environment: { EDITORS: 'sam@example.test' } }), eve)
    },
  ],
]

describe('whoever', () => {
  it.each(ends)('%s has no page, no file, no stream and no form of the desk any more', async (_, end) => {
    const world = await deskWorld(database)
    const eve = await world.desk.signedIn()
    const token = await eve.token()
    const cookie = `__Host-desk=${eve.cookies.get('__Host-desk')}`

    const after = await end(world, eve)

    const open: string[] = []
    for (const route of deskRoutesOf(world.desk.app).filter((one) => !isDoor(one)))
      for (const week of [world.drafted, world.sent]) {
        const path = pathWith({ ...route }, { ...valuesIn(world, week), file: 'issue.eml' })
        const answer = await (route.method === 'GET'
          ? after.get(path, { cookie })
          : after.post(path, { token, action: 'hold' }, { cookie, origin: site }))
        await answer.body?.cancel()
        if (answer.status !== (route.method === 'GET' ? 303 : 401))
          open.push(`${route.path}: ${answer.status}`)
      }
    expect(open).toEqual([])
  })

  it.each([
    ['an hour after the last page that was opened', 'PT1H1S'],
    ['twelve hours after the sign-in', 'PT12H1S'],
  ])('only watches an issue is told nothing more %s', async (_, time) => {
    const clock = clockAt(friday)
    await people.crowd(database.db, 3)
    const due = await plannedIssue(database)
    const eve = await deskOn(database, { clock }).signedIn()
    const answer = await eve.get(`/desk/issues/${due.issue.week}/progress`)
    const reader = answer.body?.getReader()
    const first = await reader?.read()

    clock.pass(time)

    expect(new TextDecoder().decode(first?.value)).toContain('event: progress')
    for (let reads = 0; reads < 5; reads += 1) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
      if (done) return
      expect(new TextDecoder().decode(value)).not.toContain('event: progress')
    }
    expect.fail('the stream goes on')
  })

  it('guesses a dozen codes at the same moment is locked out once, not for longer with each of them', async () => {
    const desk = deskOn(database)
    const statuses = await Promise.all(
      Array.from({ length: 12 }, async (_, n) => {
        const body = JSON.stringify({ address: 'eve@example.test', code: `00000${n % 10}` })
        const headers = { origin: site, 'content-type': 'application/json' }
        const answer = await desk.app.request(`${site}/desk/sign-in/code`, { method: 'POST', body, headers })
        return answer.status
      }),
    )

    const logged = await database.db.selectFrom('decision').select('what').execute()
    expect(new Set(statuses)).toEqual(new Set([422]))
    expect(logged.map(({ what }) => what)).toEqual(['lock out'])
  })
})

function copyOf(desk: ReturnType<typeof deskOn>, browser: Browser): Browser {
  const copy = desk.browser()
  for (const [name, value] of browser.cookies) copy.cookies.set(name, value)
  return copy
}
