import type { Doubt, DoubtfulMember, ProviderSays } from '../delivery/doubt.ts'
import type { Resolved } from '../delivery/quarantine.ts'
import { fromNow } from './words.ts'

/** The quarantined batches, by issue, a few lines each. */
export function listLines(
  doubts: readonly Doubt[],
  week: string | undefined,
  now: Temporal.Instant,
): readonly string[] {
  if (doubts.length === 0) return [`Nothing is in quarantine${week ? ` in ${week}` : ''}.`]
  return [
    ...[...Map.groupBy(doubts, (doubt) => doubt.week)].flatMap(([name, batches]) => [
      `${name} is ${batches[0]?.issueState}: ${count(batches.length, 'batch', 'batches')} in quarantine`,
      ...batches.flatMap((doubt) => [
        `  ${doubt.batchId}  ${readers(doubt.members.length)}, ${knownOf(doubt)}, ${lastTried(doubt, now)}`,
        `    ${doubt.reason}`,
      ]),
    ]),
    '',
    'Look at one: verdict quarantine show BATCH. Decide: confirm, resend or drop BATCH.',
  ]
}

/** Everything that is known of one batch, and what can be done. */
export function showLines(doubt: Doubt, now: Temporal.Instant): readonly string[] {
  return [
    `Batch ${doubt.batchId} of ${doubt.week} (${doubt.issueState})`,
    `  ${doubt.state}: ${doubt.reason}`,
    `  ${readers(doubt.members.length)}, ${knownOf(doubt)}; generation ${doubt.generation}`,
    '',
    'Attempts',
    ...(doubt.attempts.length === 0 ? ['  none in these tables'] : []),
    ...doubt.attempts.map(
      ({ started_at, worker, outcome, reason, members }) =>
        `  ${started_at.round('second')}  ${fromNow(started_at, now)}, ${readers(members.length)}, by ${worker}: ` +
        `${outcome ?? 'no outcome yet'}${reason ? ` (${reason})` : ''}`,
    ),
    '',
    'Evidence',
    ...(doubt.events.length === 0 ? ['  webhooks: none has told of it'] : []),
    ...doubt.events.map(({ type, readers: about }) => `  webhooks: ${type} for ${readers(about)}`),
    `  Resend: ${providerWords[doubt.provider]}`,
    '',
    'Readers',
    ...doubt.members.map((member) => `  ${memberLine(member)}`),
    '',
    ...waysOut(doubt),
  ]
}

/** What was done, and what to do now. */
export function resolvedLines(resolved: Extract<Resolved, { ok: true }>): readonly string[] {
  const { week, issueState, accepted, withoutId, again, excluded } = resolved
  const noId = withoutId > 0 ? ` (${withoutId} without the provider's id)` : ''
  return [
    ...(accepted > 0 ? [`${readers(accepted)} recorded as accepted${noId}.`] : []),
    ...(again > 0 ? [`${readers(again)} will be sent the issue under a new key.`] : []),
    ...(excluded > 0 ? [`${readers(excluded)} excluded: they get nothing of this issue.`] : []),
    `${week} is ${issueState}.${again > 0 ? ` ${goOn(week, issueState)}` : ''}`,
  ]
}

const providerWords: Record<ProviderSays, string> = {
  'took it': 'its log has the call that took this batch',
  'did not take it': 'its log has no call that took this batch',
  'cannot tell': 'its log does not tell',
  'was not asked': 'not asked; set RESEND_FULL_ACCESS_KEY, and MAIL_TRANSPORT=resend, to ask its log',
}

const proofs: Record<NonNullable<DoubtfulMember['proof']>, string> = {
  webhook: 'taken, says a webhook',
  log: "taken, says Resend's log",
  list: "taken, says Resend's list of mails",
}

function memberLine({ subscriberId, address, proof, providerId }: DoubtfulMember): string {
  const known = proof === null ? 'nothing known' : `${proofs[proof]} (${providerId})`
  return `${String(subscriberId).padStart(7)}  ${address ?? 'erased'}  ${known}`
}

function waysOut({ batchId, members, week }: Doubt): readonly string[] {
  const known = members.filter(({ proof }) => proof !== null).length
  const rest = readers(members.length - known)
  if (members.length > 0 && known === members.length)
    return [`All of it was sent. Record that: verdict quarantine confirm ${batchId}`]
  return [
    'What you can do',
    `  verdict quarantine confirm ${batchId}   all of it was sent`,
    `  verdict quarantine resend ${batchId}    send it again to ${rest}`,
    `  verdict quarantine drop ${batchId}      ${rest} get nothing of ${week}`,
  ]
}

function goOn(week: string, state: string): string {
  if (state === 'paused') return `To go on: verdict release ${week}`
  return `A running worker goes on with it; without one: verdict send ${week}`
}

function knownOf({ members }: Doubt): string {
  const known = members.filter(({ proof }) => proof !== null).length
  return known === 0 ? 'no evidence' : `evidence for ${known}`
}

function lastTried({ attempts }: Doubt, now: Temporal.Instant): string {
  const last = attempts.at(-1)
  return last ? `last tried ${fromNow(last.started_at, now)}` : 'not tried in these tables'
}

function readers(many: number): string {
  return count(many, 'reader', 'readers')
}

function count(many: number, one: string, more: string): string {
  return `${many} ${many === 1 ? one : more}`
}
