import { expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { applyEvents } from '../../src/delivery/apply-events.ts'
import { readEvent } from '../../src/delivery/event.ts'
import { keepEvents } from '../../src/delivery/keep-events.ts'
import { useCommandLine } from '../setup/cli.ts'
import { dueIssue } from '../setup/delivery.ts'
import { bounces, mailEvent } from '../setup/events.ts'
import { people } from '../setup/people.ts'

const verdict = useCommandLine()

it('status tells what came back of an issue, and warns of a ratio at which senders are stopped', async () => {
  await verdict.run(['migrate'])
  await verdict.withDatabase(async ({ db }) => {
    await people.crowd(db, 5)
    const { deps, mail, clock } = await dueIssue({ db })
    await sendIssue(deps, '2026-W47')
    const events = mail.accepted.map(({ id, to, tags }, at) => {
      const known = { emailId: `id-${id}`, to, tags }
      const event = [
        mailEvent('complained', known),
        mailEvent('bounced', known, bounces.hard),
        mailEvent('bounced', known, bounces.soft),
      ][at]
      const { svixId, document } = event ?? mailEvent('delivered', known)
      const read = readEvent(document, { svixId, receivedAt: clock() })
      if (!read.ok) throw new Error(read.problem)
      return read.event
    })
    await keepEvents(db, events)
    await applyEvents(deps)
  })

  const told = await verdict.run(['status', '2026-W47'])
  const json = await verdict.run(['status', '2026-W47', '--json'])

  expect(told.stdout).toContain(
    'came back: 2 delivered, 1 complained (33.33 %), 1 bounced soft, 1 bounced hard (20.00 %)',
  )
  expect(told.stdout).toContain('warning: 33.33 % complained; from 0.08 % on')
  expect(told.stdout).toContain('warning: 20.00 % bounced hard; from 4.00 % on')
  expect(json.json).toMatchObject({
    issues: [{ feedback: { counts: { delivered: 2, complained: 1 }, complaintRatio: 1 / 3 } }],
  })
})
