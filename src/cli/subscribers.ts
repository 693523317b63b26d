import type { Command } from 'commander'
import type { Newsletter } from '../newsletter.ts'
import { parseAddress } from '../subscriber/address.ts'
import { eraseReader } from '../subscriber/erase.ts'
import { exportReader, type ReaderExport } from '../subscriber/export.ts'
import { type Added, addSubscriber } from '../subscriber/subscriber.ts'
import { barredAmong, type SuppressionReason } from '../subscriber/suppressed.ts'
import { type Answer, answering, Problem, UsageError, withNewsletter } from './command.ts'
import { type ExportOptions, exportReaders } from './subscribers-export.ts'
import { type ImportOptions, importReaders } from './subscribers-import.ts'

/** `subscribers add ADDRESS --consent "…"` · `import FILE` · `export` · `show ADDRESS` · `erase ADDRESS --yes` */
export function addSubscriberCommands(program: Command): void {
  const subscribers = program
    .command('subscribers')
    .description('add, import, export, show and erase readers')
  answering<{ json?: true; consent: string }>(
    subscribers
      .command('add')
      .description('add one confirmed reader')
      .argument('<address>', 'their address')
      .requiredOption('--consent <words>', 'where and when they agreed, e.g. "asked at the May meetup"'),
    ([input], { consent }) => addOne(input ?? '', consent),
  )
  answering<ImportOptions>(
    subscribers
      .command('import')
      .description(
        'add confirmed readers from a CSV file with the columns address and consent, perhaps status',
      )
      .argument('<file>', 'UTF-8 CSV with a header line; "-" reads standard input')
      .option('--dry-run', 'say what would happen and change nothing'),
    ([file], options) => importReaders(file ?? '', options),
  )
  answering<ExportOptions>(
    subscribers
      .command('export')
      .description('every reader as CSV: address, status, cadence, created, confirmed, consent')
      .option('--out <file>', 'where to write; without it, standard output'),
    (_args, options) => exportReaders(options),
  )
  answering<{ json?: true }>(
    subscribers
      .command('show')
      .description('everything that is held about one reader')
      .argument('<address>', 'their address'),
    ([input]) => showOne(readAddress(input)),
  )
  answering<{ json?: true; yes?: true }>(
    subscribers
      .command('erase')
      .description('forget one reader: their address goes from every table, a keyed hash of it stays')
      .argument('<address>', 'their address')
      .option('--yes', 'do it: it cannot be undone'),
    ([input], { yes }) => eraseOne(readAddress(input), yes ?? false),
  )
}

function readAddress(input = ''): string {
  const parsed = parseAddress(input)
  if (parsed.ok) return parsed.address
  throw new UsageError(`"${input}" is no address: ${parsed.problem}`)
}

const words: Record<Added | 'erased before', string> = {
  added: 'is subscribed',
  'already confirmed': 'was subscribed already',
  'left before': 'has left the list and was not brought back: they can sign up again themselves',
  suppressed: 'is suppressed and is never mailed',
  'erased before': 'was erased and was not brought back: they can sign up again themselves',
}

async function addOne(input: string, consent: string): Promise<Answer> {
  const address = readAddress(input)
  if (consent.trim() === '') throw new UsageError('--consent: say where and when they agreed')
  return withNewsletter(async (newsletter) => {
    const barred = (await barredAmong(newsletter.db, newsletter.keys, [address])).get(address)
    const outcome = barred
      ? barredOutcome[barred]
      : await addSubscriber(newsletter, address, { method: 'by hand', detail: consent.trim() })
    return {
      json: { address, outcome },
      lines: [`${address} ${words[outcome]}.`],
      ok: outcome === 'added' || outcome === 'already confirmed',
    }
  })
}

const barredOutcome: Record<SuppressionReason, 'erased before' | 'suppressed'> = {
  erased: 'erased before',
  bounced: 'suppressed',
  complained: 'suppressed',
  'by hand': 'suppressed',
}

async function showOne(address: string): Promise<Answer> {
  return withNewsletter(async (newsletter) => {
    const held = await findReader(newsletter, address)
    const barred = (await barredAmong(newsletter.db, newsletter.keys, [address])).get(address)
    if (!held && !barred) throw new Problem(`${address} is not known here.`)
    return {
      json: held ?? { address, barred },
      lines: held
        ? linesFor(held)
        : [`${address} is no reader. Of the address only a hash or a bar is kept: ${barred}.`],
    }
  })
}

function linesFor({
  reader,
  follows,
  consent,
  deliveries,
  letters,
  suppression,
}: ReaderExport): readonly string[] {
  const rows = (title: string, all: readonly object[]) => [
    `${title}: ${all.length === 0 ? 'none' : all.length}`,
    ...all.map((row) => `  ${facts(row).join(' · ')}`),
  ]
  return [
    ...facts(reader),
    ...facts(follows),
    ...rows('suppressed', suppression),
    ...rows('consent', consent),
    ...rows('issues', deliveries),
    ...rows('letters', letters),
  ]
}

/** `status: confirmed`, for everything that is there. */
function facts(row: object): readonly string[] {
  return Object.entries(row)
    .filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => `${name.replaceAll('_', ' ')}: ${value}`)
}

async function eraseOne(address: string, yes: boolean): Promise<Answer> {
  return withNewsletter(async (newsletter) => {
    const held = await findReader(newsletter, address)
    if (!held) throw new Problem(`${address} is not known here. Nothing was changed.`)
    if (!yes)
      throw new UsageError(
        `This would erase ${address} (${held.reader.status}, ${held.deliveries.length} issues sent to them), for good. Nothing was changed. Say --yes to do it.`,
      )
    await eraseReader(newsletter, held.reader.public_id, 'by hand')
    const { deliveries, letters } = held
    return {
      json: { outcome: 'erased', deliveries: deliveries.length, letters: letters.length },
      lines: [
        `${address} is erased: gone from the list, ${deliveries.length} deliveries and ${letters.length} letters.`,
        'A keyed hash stays, so that no import brings them back. They may sign up again themselves.',
      ],
    }
  })
}

async function findReader({ db }: Newsletter, address: string): Promise<ReaderExport | undefined> {
  const reader = await db
    .selectFrom('subscriber')
    .select('public_id')
    .where('address', '=', address)
    .executeTakeFirst()
  return reader && exportReader(db, reader.public_id)
}
