import type { Command } from 'commander'
import { askProvider } from '../delivery/ask-provider.ts'
import { batchesCalled, batchesInDoubt, type Doubt, lookInto } from '../delivery/doubt.ts'
import { type Resolved, resolveBatch, type Verb } from '../delivery/quarantine.ts'
import { whatToKnow } from '../delivery/what-to-know.ts'
import type { Newsletter } from '../newsletter.ts'
import { asksYes } from './ask.ts'
import { type Answer, answering, Problem, parseWeek, UsageError, withNewsletter } from './command.ts'
import { operator } from './operator.ts'
import { providerAccount } from './provider-account.ts'
import { listLines, resolvedLines, showLines } from './quarantine-words.ts'

const verbs: Record<Verb, string> = {
  confirm: 'the batch was sent: record all of it as accepted',
  resend: 'send it again, under a new key, to those of whom nothing proves that they have it',
  drop: 'leave it: whoever has no evidence is recorded as excluded, and gets nothing of this issue',
}

/** `quarantine list [WEEK] · show BATCH · confirm BATCH · resend BATCH · drop BATCH` */
export function addQuarantineCommand(program: Command): void {
  const quarantine = program
    .command('quarantine')
    .description('batches of which nobody knows whether they were sent: look at the evidence, and decide')
  answering(
    quarantine
      .command('list')
      .description('every quarantined batch, with what is known of it')
      .argument('[week]', 'ISO week (default: every issue)'),
    ([week]) => withNewsletter((newsletter) => list(newsletter, week)),
  )
  answering(
    quarantine
      .command('show')
      .description('one batch: its readers, attempts, webhooks, and what Resend says of it')
      .argument('<batch>', 'its id, or how that begins'),
    ([batch]) =>
      withNewsletter(async (newsletter) => {
        const doubt = await weigh(newsletter, batch)
        return { json: jsonOf(doubt, newsletter), lines: showLines(doubt, newsletter.clock()) }
      }),
  )
  for (const [verb, description] of Object.entries(verbs)) {
    answering<{ json?: true; yes?: true }>(
      quarantine
        .command(verb)
        .description(description)
        .argument('<batch>', 'its id, or how that begins')
        .option('--yes', 'you have read what it warns of'),
      ([batch], { yes, json }) =>
        withNewsletter((newsletter) => resolve(newsletter, batch, verb as Verb, yes ?? false, json ?? false)),
    )
  }
}

async function list(newsletter: Newsletter, name: string | undefined): Promise<Answer> {
  const week = name === undefined ? undefined : parseWeek(name, newsletter).name
  const ids = await batchesInDoubt(newsletter.db, { week })
  const doubts: Doubt[] = []
  for (const id of ids) {
    const doubt = await lookInto(newsletter.db, id)
    if (doubt) doubts.push(doubt)
  }
  return {
    json: { week: week ?? null, batches: doubts.map((doubt) => jsonOf(doubt, newsletter)) },
    lines: listLines(doubts, week, newsletter.clock()),
  }
}

async function resolve(
  newsletter: Newsletter,
  batch: string | undefined,
  verb: Verb,
  yes: boolean,
  json: boolean,
): Promise<Answer> {
  const doubt = await weigh(newsletter, batch)
  const by = operator()
  const first = await resolveBatch(newsletter, doubt, verb, { by, yes })
  const isAgreed = !first.ok && first.warned && !json && (await asksYes(`${first.problem}\n`))
  return say(isAgreed ? await resolveBatch(newsletter, doubt, verb, { by, yes: true }) : first, doubt, verb)
}

function say(resolved: Resolved, { batchId }: Doubt, verb: Verb): Answer {
  if (resolved.ok) return { json: { batch: batchId, did: verb, ...resolved }, lines: resolvedLines(resolved) }
  const way = `To do it all the same: verdict quarantine ${verb} ${batchId} --yes`
  const lines = [resolved.problem, ...(resolved.warned ? [way] : []), 'Nothing was changed.']
  return { json: { batch: batchId, error: resolved.problem, needsYes: resolved.warned }, lines, ok: false }
}

/** The batch with all that can be learned of it: from the tables, and from Resend where a key is set. */
async function weigh(newsletter: Newsletter, name = ''): Promise<Doubt> {
  const { db, config, clock } = newsletter
  const doubt = await lookInto(db, await batchId(newsletter, name))
  if (!doubt) throw new Problem(`Batch ${name} has just left quarantine. Look again: verdict quarantine list`)
  const account = config.mail.transport === 'resend' ? providerAccount(config) : undefined
  return account ? askProvider({ db, now: clock(), account }, doubt) : doubt
}

async function batchId({ db }: Newsletter, name: string): Promise<string> {
  if (!/^[0-9a-f][0-9a-f-]{3,35}$/i.test(name))
    throw new UsageError(`"${name}" is no batch id; take one from: verdict quarantine list`)
  const [batch, another] = await batchesCalled(db, name.toLowerCase())
  if (!batch) throw new Problem(`There is no batch ${name}. See which there are: verdict quarantine list`)
  if (another) throw new Problem(`More than one batch begins with ${name}. Give more of its id.`)
  if (batch.state === 'quarantined' || batch.state === 'unknown') return batch.id
  throw new Problem(`Batch ${batch.id} is ${batch.state}: it is not in quarantine.`)
}

function jsonOf(doubt: Doubt, { clock }: Newsletter): object {
  const { members, attempts, ...facts } = doubt
  return {
    ...facts,
    readers: members.length,
    withEvidence: members.filter(({ proof }) => proof !== null).length,
    resendWarns: whatToKnow(doubt, 'resend', clock()) ?? null,
    members: members.map(({ subscriberId, address, proof, providerId }) => ({
      ...{ reader: subscriberId, address, proof, providerId },
    })),
    attempts: attempts.map(({ worker, started_at, finished_at, outcome, reason, members: called }) => ({
      ...{ worker, startedAt: started_at, finishedAt: finished_at, outcome, reason, readers: called.length },
    })),
  }
}
