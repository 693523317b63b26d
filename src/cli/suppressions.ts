import type { Command } from 'commander'
import { theirSuppressions } from '../mail/resend-suppressions.ts'
import { parseAddress } from '../subscriber/address.ts'
import { suppress, unsuppress } from '../subscriber/suppress.ts'
import { type Synced, syncSuppressions } from '../subscriber/sync-suppressions.ts'
import { type Answer, answering, Problem, UsageError, withNewsletter } from './command.ts'

/** `suppressions list` · `add ADDRESS` · `remove ADDRESS` · `sync [--dry-run]` */
export function addSuppressionCommands(program: Command): void {
  const suppressions = program
    .command('suppressions')
    .description('the addresses that are never mailed: list, add, remove, and sync with Resend')
  answering(
    suppressions.command('list').description('every suppressed address, its reason, and since when'),
    list,
  )
  answering(
    suppressions
      .command('add')
      .description('never mail an address again')
      .argument('<address>', 'the address'),
    ([input]) => add(readAddress(input)),
  )
  answering<{ json?: true; yes?: true }>(
    suppressions
      .command('remove')
      .description('mail an address again, here and, with RESEND_FULL_ACCESS_KEY, at Resend')
      .argument('<address>', 'the address')
      .option('--yes', 'also where its reader complained: only when they asked for it'),
    ([input], { yes }) => remove(readAddress(input), yes ?? false),
  )
  answering<{ json?: true; dryRun?: true }>(
    suppressions
      .command('sync')
      .description("bring Resend's list and ours together, both ways (needs RESEND_FULL_ACCESS_KEY)")
      .option('--dry-run', 'say what would happen and change nothing'),
    (_args, { dryRun }) => sync(dryRun ?? false),
  )
}

function readAddress(input = ''): string {
  const parsed = parseAddress(input)
  if (parsed.ok) return parsed.address
  throw new UsageError(`"${input}" is no address: ${parsed.problem}`)
}

function list(): Promise<Answer> {
  return withNewsletter(async ({ db }) => {
    const rows = await db
      .selectFrom('suppression')
      .select(['address', 'reason', 'since'])
      .orderBy('address')
      .execute()
    const shown = rows.filter(({ address }) => address !== null)
    const hashed = rows.length - shown.length
    return {
      json: { suppressions: shown, hashed },
      lines: [
        ...shown.map(({ address, reason, since }) => `${address}  ${reason}  since ${since}`),
        `${shown.length} suppressed${hashed > 0 ? `, and ${hashed} of whom only a hash is kept` : ''}.`,
      ],
    }
  })
}

function add(address: string): Promise<Answer> {
  return withNewsletter(async ({ db, clock }) => {
    const added = await db
      .transaction()
      .execute((trx) => suppress(trx, clock, [{ address, reason: 'by hand' }]))
    return {
      json: { address, outcome: added > 0 ? 'added' : 'already suppressed' },
      lines: [`${address} ${added > 0 ? 'is never mailed again' : 'was suppressed already'}.`],
    }
  })
}

function remove(address: string, yes: boolean): Promise<Answer> {
  return withNewsletter(async ({ db, config }) => {
    const held = await db
      .selectFrom('suppression')
      .select('reason')
      .where('address', '=', address)
      .executeTakeFirst()
    if (!held) throw new Problem(`${address} is not suppressed. Nothing was changed.`)
    if (held.reason === 'complained' && !yes)
      throw new UsageError(
        `${address} complained: mailing them again can cost the sender its good name. Nothing was changed. Say --yes when they asked for it.`,
      )
    const theirs = theirSuppressions(config)
    const atResend = theirs ? ((await theirs.remove(address)) ? 'removed' : 'not there') : 'not asked'
    await unsuppress(db, address)
    return {
      json: { address, outcome: 'removed', reason: held.reason, atResend },
      lines: [`${address} (${held.reason}) is suppressed no more.`, atResendWords[atResend]],
    }
  })
}

const atResendWords = {
  removed: "It is off Resend's list too.",
  'not there': "It was not on Resend's list.",
  'not asked':
    "RESEND_FULL_ACCESS_KEY is not set: should it be on Resend's list, Resend does not deliver to it, and the next sync brings it back.",
}

function sync(dryRun: boolean): Promise<Answer> {
  return withNewsletter(async (newsletter) => {
    const theirs = theirSuppressions(newsletter.config)
    if (!theirs)
      throw new Problem(
        "RESEND_FULL_ACCESS_KEY is not set: a key that only sends cannot read Resend's list. Make one with full access at Resend, for this command.",
      )
    const synced = await syncSuppressions({ ...newsletter, theirs }, { dryRun })
    return { json: { ...synced, dryRun }, lines: syncLines(synced, dryRun) }
  })
}

function syncLines(
  { theirs, added, strengthened, left, pushed }: Synced,
  dryRun: boolean,
): readonly string[] {
  return [
    `Resend has ${theirs}: ${added} new to us, ${strengthened} with a stronger reason${left > 0 ? `, ${left} left alone (erased here, or no address)` : ''}.`,
    `Resend lacked ${pushed} of ours.`,
    dryRun ? 'A dry run: nothing was changed.' : 'Both lists are the same now.',
  ]
}
