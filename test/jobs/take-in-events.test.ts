import { pino } from 'pino'
import { expect, it } from 'vitest'
import { workOnce } from '../../jobs/work.ts'
import { startQueue } from '../../src/queue.ts'
import { postLetter } from '../../src/subscriber/letter.ts'
import { wakeThrough } from '../../src/wake.ts'
import { appOn } from '../setup/app.ts'
import { useDatabase } from '../setup/database.ts'
import { plannedIssue } from '../setup/delivery.ts'
import { bounces, deliverEvent, mailEvent, webhookEnvironment } from '../setup/events.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()
const log = pino({ level: 'silent' })

it.each(['woken by the webhook', 'asked by the minute'])(
  'a worker gives an event its effect, %s',
  async (how) => {
    const ann = await people.ann(database.db)
    const { deps } = await plannedIssue(database)
    const letter = await database.db
      .transaction()
      .execute((trx) => postLetter(trx, deps, { subscriberId: ann.id, kind: 'welcome' }))
    const queue = await startQueue(database.connection, log)
    const stop = new AbortController()
    const isWoken = how === 'woken by the webhook'
    const app = appOn(
      database,
      { environment: webhookEnvironment },
      isWoken ? wakeThrough(queue, log, stop.signal) : undefined,
    )

    const tags = { letter, kind: 'welcome' }
    await deliverEvent(app, mailEvent('bounced', { emailId: 'l1', to: ann.address, tags }, bounces.hard))
    if (!isWoken) await queue.enqueue('tick')
    await expect.poll(() => workOnce(deps, queue, stop.signal), { timeout: 30_000 }).toBeGreaterThan(0)
    await workOnce(deps, queue, stop.signal)

    const suppressed = await database.db.selectFrom('suppression').select('address').execute()
    expect(suppressed).toEqual([{ address: 'ann@example.test' }])
    stop.abort()
    await queue.stop()
  },
)
