import type { Command } from 'commander'
import { applyEvents } from '../delivery/apply-events.ts'
import { replayEvents } from '../delivery/replay-events.ts'
import { type EventRecord, openEventRecord } from '../mail/resend-events.ts'
import type { Newsletter } from '../newsletter.ts'
import { type Answer, answering, Problem, parseInstant, withNewsletter } from './command.ts'

type ReplayOptions = { readonly json?: true; readonly since?: string; readonly webhook?: string }

/** As long as Resend goes on trying an endpoint before it disables it, and two days more. */
const usualSpan = Temporal.Duration.from({ hours: 24 * 7 })

/** `events replay [--since INSTANT] [--webhook ID]` */
export function addEventCommands(program: Command): void {
  const events = program.command('events').description('what Resend reports on mail that was sent')
  answering<ReplayOptions>(
    events
      .command('replay')
      .description('take in the events that a webhook should have brought and did not')
      .option('--since <instant>', 'RFC 3339 (default: seven days ago)')
      .option('--webhook <id>', "Resend's id of the webhook (default: the one that leads to PUBLIC_URL)"),
    (_args, options) => replay(options),
  )
}

function replay({ json, since, webhook }: ReplayOptions): Promise<Answer> {
  const from = parseInstant('--since', since)
  return withNewsletter(async (newsletter) => {
    const { clock, config } = newsletter
    if (!config.resendFullAccessKey)
      throw new Problem(
        "RESEND_FULL_ACCESS_KEY is not set: a key that only sends cannot read Resend's events. Make one with full access at Resend, for this command.",
      )
    const record = openEventRecord({
      fullAccessKey: config.resendFullAccessKey,
      baseUrl: config.mail.resendBaseUrl ?? 'https://api.resend.com',
    })
    const webhookId = webhook ?? (await ownWebhook(record, newsletter))
    const replayed = await replayEvents(
      { ...newsletter, record },
      webhookId,
      from ?? clock().subtract(usualSpan),
      (recorded) =>
        process.stderr.write(
          json ? `${JSON.stringify({ progress: 'events', done: recorded })}\n` : `events: ${recorded}\n`,
        ),
    )
    const applied = await applyEvents(newsletter)
    const { recorded, missed, unreadable } = replayed
    return {
      json: { ...replayed, applied },
      lines: [
        `Resend has ${recorded} events on record: ${missed} were missing here and are taken in${unreadable > 0 ? `, ${unreadable} cannot be read` : ''}.`,
        `${applied.events} events had their effect, ${applied.suppressed} addresses were suppressed.`,
      ],
      ok: unreadable === 0,
    }
  })
}

async function ownWebhook(record: EventRecord, { config }: Newsletter): Promise<string> {
  const endpoint = `${config.publicUrl}/webhooks/resend`
  const ids = await record.webhooksAt(endpoint)
  const [only] = ids
  if (only !== undefined && ids.length === 1) return only
  throw new Problem(
    only === undefined
      ? `No webhook of this Resend account leads to ${endpoint}. Add one at Resend, or name another with --webhook.`
      : `Several webhooks of this Resend account lead to ${endpoint}: say which with --webhook (${ids.join(', ')}).`,
  )
}
