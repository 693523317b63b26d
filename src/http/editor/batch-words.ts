import type { Doubt, DoubtfulMember, ProviderSays } from '../../delivery/doubt.ts'
import type { Evidence } from '../../delivery/evidence.ts'
import type { Resolved, Verb } from '../../delivery/quarantine.ts'
import { fromNow, grouped, shortTime } from './when.ts'

/** A batch in doubt as its page shows it: attempts, evidence, and each reader with what was heard of their mail. */
export function batchView(doubt: Doubt, heard: readonly Evidence[], zone: string, now: Temporal.Instant) {
  const known = knownOf(doubt)
  const byReader = Map.groupBy(heard, ({ subscriberId }) => subscriberId)
  return {
    ...{ week: doubt.week, issueState: doubt.issueState, batch: doubt.batchId, generation: doubt.generation },
    ...{ isTrying: doubt.state === 'unknown', reason: doubt.reason ?? '' },
    count: `${readers(doubt.members.length)}, ${known === 0 ? 'no evidence for any of them' : `evidence for ${grouped(known)}`}`,
    provider: providerWords[doubt.provider],
    events: doubt.events.map(({ type, readers: about }) => ({ type, readers: grouped(about) })),
    attempts: doubt.attempts.map(({ started_at, worker, outcome, reason, members }) => ({
      when: { machine: started_at.toString(), person: shortTime(started_at, zone) },
      ...{ ago: fromNow(started_at, now), worker, readers: grouped(members.length) },
      came: `${outcome ?? 'no outcome yet'}${reason ? `: ${reason}` : ''}`,
    })),
    members: doubt.members.map((member) => ({
      ...{ address: member.address ?? 'erased', known: proofWords(member), id: member.providerId ?? '' },
      heard: (byReader.get(member.subscriberId) ?? [])
        .map(({ type, at }) => `${type.replace('email.', '')} ${shortTime(at, zone)}`)
        .join(', '),
    })),
  }
}

/** What is on a verb's button, and what comes of it. */
export function verbWords(verb: Verb, doubt: Doubt): { label: string; does: string } {
  const all = doubt.members.length
  const [known, rest] = [knownOf(doubt), all - knownOf(doubt)]
  const theOthers =
    known > 0
      ? ` The ${readers(known)} with evidence ${known === 1 ? 'is' : 'are'} recorded as having it.`
      : ''
  switch (verb) {
    case 'confirm':
      return {
        label: 'Record it as sent',
        does:
          rest === 0
            ? `${readers(all)} ${all === 1 ? 'has' : 'have'} this mail, as the evidence shows. That is recorded, and nobody is sent anything.`
            : `All ${readers(all)} are recorded as having ${doubt.week}, and nobody is sent anything. Whoever does not have it never gets it.${withoutProof(rest)}`,
      }
    case 'resend':
      return {
        label: `Send it again to ${readers(rest)}`,
        does: `${readers(rest)} without evidence ${rest === 1 ? 'is' : 'are'} sent ${doubt.week} under a new key. Whoever has it already gets it twice.${theOthers}`,
      }
    case 'drop':
      return {
        label: `Leave ${readers(rest)} without it`,
        does: `${readers(rest)} ${rest === 1 ? 'is' : 'are'} recorded as excluded, and ${rest === 1 ? 'is' : 'are'} not sent ${doubt.week} again. Whoever has it keeps it.${theOthers}`,
      }
  }
}

/** What a decision rests on, in one line. */
export function evidenceWords(doubt: Doubt): string {
  const heard = doubt.events.map(({ type, readers: about }) => `${type} for ${grouped(about)}`).join(', ')
  return `What is known: evidence for ${grouped(knownOf(doubt))} of ${readers(doubt.members.length)}; webhooks: ${heard || 'none'}; Resend: ${providerWords[doubt.provider]}. This is recorded with your decision.`
}

/** The one that the evidence speaks for is the page's main button; while Resend can be asked, that comes first. */
export function isMain(verb: Verb, doubt: Doubt, isAskable: boolean): { readonly look: string } {
  const isProved = verb === 'confirm' && knownOf(doubt) === doubt.members.length
  const isRefuted = verb === 'resend' && doubt.provider === 'did not take it' && knownOf(doubt) === 0
  return { look: !isAskable && (isProved || isRefuted) ? 'button' : 'button quiet' }
}

/** What was done, and how the issue stands now. */
export function resolvedWords({
  week,
  issueState,
  accepted,
  withoutId,
  again,
  excluded,
}: Extract<Resolved, { ok: true }>): string {
  const noId = withoutId > 0 ? ` (${grouped(withoutId)} without the provider’s id)` : ''
  const goOn = again > 0 && issueState === 'paused' ? ' Let it go on, so that they get it.' : ''
  return [
    ...(accepted > 0 ? [`${readers(accepted)} recorded as having it${noId}.`] : []),
    ...(again > 0 ? [`${readers(again)} will be sent it under a new key.`] : []),
    ...(excluded > 0 ? [`${readers(excluded)} left without it.`] : []),
    `${week} is ${issueState}.${goOn}`,
  ].join(' ')
}

const providerWords: Record<ProviderSays, string> = {
  'took it': 'its log has the call that took this batch',
  'did not take it': 'its log has no call that took this batch',
  'cannot tell': 'its log does not tell',
  'was not asked': 'not asked',
}

const proofs: Record<NonNullable<DoubtfulMember['proof']>, string> = {
  webhook: 'has it, says a webhook',
  log: 'has it, says Resend’s log',
  list: 'has it, says Resend’s list of mails',
}

function proofWords({ proof }: DoubtfulMember): string {
  return proof === null ? 'nothing known' : proofs[proof]
}

function withoutProof(rest: number): string {
  return ` For ${readers(rest)} nothing proves it.`
}

function knownOf({ members }: Doubt): number {
  return members.filter(({ proof }) => proof !== null).length
}

function readers(count: number): string {
  return `${grouped(count)} ${count === 1 ? 'reader' : 'readers'}`
}
