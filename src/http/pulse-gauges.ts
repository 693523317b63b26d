import type { Kysely } from 'kysely'
import { Gauge, type Registry } from 'prom-client'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { type VitalSigns, vitalSigns } from '../delivery/vital-signs.ts'
import type { Log } from '../log.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock; readonly log: Log }

/** However many ask, the database is asked once in so long. */
const kept = Temporal.Duration.from('PT10S')

/**
 * The newsletter's vital signs as gauges. Returns what brings them up to date. While the database does not answer they
 * are absent rather than old, and `verdict_database_up` is 0.
 */
export function pulseGauges(deps: Deps, register: Registry): () => Promise<void> {
  const show = gaugesIn(register)
  let last: { readonly at: Temporal.Instant; readonly answer: Promise<void> } | undefined

  async function ask(): Promise<void> {
    const signs = await vitalSigns(deps).catch((error: unknown) => {
      deps.log.warn({ err: error }, 'metrics without the database')
      return undefined
    })
    show(signs)
  }

  return async () => {
    const at = deps.clock()
    if (!last || Temporal.Duration.compare(at.since(last.at).abs(), kept) > 0) last = { at, answer: ask() }
    await last.answer
  }
}

function gaugesIn(register: Registry): (signs: VitalSigns | undefined) => void {
  const registers = [register]
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Gauge({ name: `verdict_${name}`, help, labelNames, registers })

  const up = gauge('database_up', 'Whether the database answered the last time it was asked: 1 or 0.')
  const batches = gauge('batches', 'Batches of what is unfinished and of the newest issue.', 'issue', 'state')
  const mails = gauge('mails', 'Mails in those batches, as planned.', 'issue', 'state')
  const quarantined = gauge('quarantined_mails', 'Mails of any issue that wait for somebody to decide.')
  const events = gauge('event_wait_seconds', 'Age of the oldest webhook event that is not applied.')
  const jobs = gauge('queue_jobs', 'Jobs that wait in the queue.', 'job')
  const letters = gauge('letters_waiting', 'Letters outside the issues that have not left.')
  const readers = gauge('readers', 'Readers by status; estimated above a hundred thousand.', 'status')
  const complaints = gauge('complaint_ratio', 'Complaints per accepted mail of the newest issue.')
  const votes = gauge('votes', 'Readers’ votes that stand, those that were set aside among them.')
  const flags = gauge('vote_flags_open', 'Bursts and rings of votes that wait for an editor.')
  const due = gauge('due_in_seconds', 'Until the next issue is due; negative when it is late.')
  const all = [batches, mails, quarantined, events, jobs, letters, readers, complaints, votes, flags, due]

  return (signs) => {
    for (const one of all) one.reset()
    up.set(signs ? 1 : 0)
    if (!signs) {
      for (const one of [quarantined, events, letters, complaints, votes, flags, due]) one.remove()
      return
    }
    for (const row of signs.batches) {
      batches.set({ issue: row.week, state: row.state }, row.batches)
      mails.set({ issue: row.week, state: row.state }, row.mails)
    }
    for (const { name, waiting } of signs.jobs) jobs.set({ job: name }, waiting)
    for (const { status, count } of signs.readers) readers.set({ status }, count)
    quarantined.set(signs.quarantinedMails)
    events.set(signs.eventWaitSeconds)
    letters.set(signs.lettersWaiting)
    complaints.set(signs.complaintRatio)
    votes.set(signs.votes)
    flags.set(signs.openFlags)
    if (signs.secondsUntilDue === undefined) due.remove()
    else due.set(signs.secondsUntilDue)
  }
}
