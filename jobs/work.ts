import { closeCancelled } from '../src/delivery/close-cancelled.ts'
import { confirmByEvidence } from '../src/delivery/confirm-by-evidence.ts'
import { tellOfBlocks } from '../src/editor/mail-blocks.ts'
import { forgetClickKeys } from '../src/issue/click-key.ts'
import type { DraftDeps } from '../src/issue/draft.ts'
import { findIssue } from '../src/issue/issue.ts'
import type { JobData, JobName, Queue } from '../src/queue.ts'
import type { LetterDeps } from '../src/subscriber/send-letters.ts'
import type { TakeInDeps } from '../src/subscriber/sign-up.ts'
import { askForChecks, type CheckDeps, runCheck } from './check-edition.ts'
import { runDraft } from './draft-issue.ts'
import { type ResumeDeps, resumeReaders } from './resume-readers.ts'
import { rollUp } from './roll-up.ts'
import { type SendDeps, type Sent, sendIssue } from './send-issue.ts'
import { askForMail, runLetters } from './send-letters.ts'
import { askForEvents, runEvents } from './take-in-events.ts'
import { runTakeIn } from './take-in-sign-ups.ts'
import { type Due, lookAtTimetable, type TickDeps } from './tick.ts'
import { askForWatch, runWatch } from './watch-votes.ts'

export type WorkDeps = TickDeps & DraftDeps & SendDeps & ResumeDeps & TakeInDeps & LetterDeps & CheckDeps

/** Takes jobs of every kind until the queue is stopped. After `stop` no further batch is claimed. */
export async function startWorker(deps: WorkDeps, queue: Queue, stop: AbortSignal): Promise<void> {
  await queue.work('tick', (data) => runJob(deps, queue, 'tick', data, stop))
  await queue.work('draft-issue', (data) => runJob(deps, queue, 'draft-issue', data, stop))
  await queue.work('send-issue', (data) => runJob(deps, queue, 'send-issue', data, stop))
  await queue.work('check-edition', (data) => runJob(deps, queue, 'check-edition', data, stop))
  await queue.work('take-in-sign-ups', (data) => runJob(deps, queue, 'take-in-sign-ups', data, stop))
  await queue.work('send-letters', (data) => runJob(deps, queue, 'send-letters', data, stop))
  await queue.work('take-in-events', (data) => runJob(deps, queue, 'take-in-events', data, stop))
  await queue.work('roll-up', (data) => runJob(deps, queue, 'roll-up', data, stop))
  await queue.work('watch-votes', (data) => runJob(deps, queue, 'watch-votes', data, stop))
}

/** Runs what is waiting in the queue now, then returns how many jobs that were. */
export function workOnce(deps: WorkDeps, queue: Queue, stop: AbortSignal): Promise<number> {
  return queue.drain((job, data) => runJob(deps, queue, job, data, stop))
}

/** Does what the timetable would do at the clock's instant, here and now, and returns what that was. */
export async function runTimetable(deps: WorkDeps): Promise<readonly Due[]> {
  const ran: Due[] = []
  await resumeReaders(deps)
  await settleDoubts(deps)
  for (;;) {
    const due = (await lookAtTimetable(deps)).filter(
      ({ job, week }) => !ran.some((d) => d.job === job && d.week === week),
    )
    const [next] = due
    if (!next) return ran
    ran.push(next)
    if (next.job === 'draft-issue') await runDraft(deps, next.week)
    else await sendOrTell(deps, next.week, {})
  }
}

/** What webhooks prove, and what a cancelled issue left behind. */
async function settleDoubts(deps: WorkDeps): Promise<void> {
  await closeCancelled(deps)
  const confirmed = await confirmByEvidence(deps)
  if (confirmed > 0) deps.log.info({ batches: confirmed }, 'confirmed by webhooks')
}

/** An issue that preflight stops at its time stays where it is, and its editors are told, once. */
async function sendOrTell(deps: WorkDeps, week: string, how: { stop?: AbortSignal }): Promise<Sent> {
  const sent = await sendIssue(deps, week, how)
  const issue = sent.kind === 'refused' && sent.blocks ? await findIssue(deps.db, week) : undefined
  if (issue && sent.kind === 'refused') await tellOfBlocks(deps, issue, 'stopped', sent.blocks ?? [])
  return sent
}

async function runJob(
  deps: WorkDeps,
  queue: Queue,
  job: JobName,
  { week }: JobData,
  stop: AbortSignal,
): Promise<void> {
  switch (job) {
    case 'tick':
      await resumeReaders(deps)
      await settleDoubts(deps)
      for (const due of await lookAtTimetable(deps)) await queue.enqueue(due.job, due.week)
      await askForMail(deps, queue)
      await forgetClickKeys(deps)
      await askForEvents(deps, queue)
      await askForChecks(deps, queue)
      await queue.enqueue('roll-up')
      await askForWatch(deps, queue)
      return
    case 'draft-issue':
      if (week && (await runDraft(deps, week)).outcome === 'drafted')
        await queue.enqueue('check-edition', week)
      await queue.enqueue('tick')
      return
    case 'send-issue': {
      if (!week) return
      const sent = await sendOrTell(deps, week, { stop })
      if (sent.kind === 'waiting') await queue.enqueue('send-issue', week, sent.until)
      if (sent.kind === 'refused') deps.log.warn({ issue: week, problem: sent.problem }, 'not sent')
      return
    }
    case 'check-edition':
      if (week) await runCheck(deps, week)
      return
    case 'take-in-sign-ups':
      return runTakeIn(deps, queue, stop)
    case 'send-letters':
      return runLetters(deps, stop)
    case 'take-in-events':
      return runEvents(deps, stop)
    case 'roll-up':
      return rollUp(deps, stop)
    case 'watch-votes':
      return runWatch(deps, stop)
  }
}
