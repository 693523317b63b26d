import { createReadStream } from 'node:fs'
import { access, constants } from 'node:fs/promises'
import type { Command } from 'commander'
import { parseAddress } from '../subscriber/address.ts'
import { importSubscribers } from '../subscriber/import.ts'
import { type Added, addSubscriber } from '../subscriber/subscriber.ts'
import { type Answer, answering, Problem, UsageError, withNewsletter } from './command.ts'

const words: Record<Added, string> = {
  added: 'is subscribed',
  'already confirmed': 'was subscribed already',
  'left before': 'has left the list and was not brought back: they can sign up again themselves',
  suppressed: 'is suppressed and is never mailed',
}

/** `subscribers add ADDRESS --consent "…"` · `subscribers import FILE` */
export function addSubscriberCommands(program: Command): void {
  const subscribers = program.command('subscribers').description('add and import readers')
  answering<{ json?: true; consent: string }>(
    subscribers
      .command('add')
      .description('add one confirmed reader')
      .argument('<address>', 'their address')
      .requiredOption('--consent <words>', 'where and when they agreed, e.g. "asked at the May meetup"'),
    ([input], { consent }) => addOne(input ?? '', consent),
  )
  answering<{ json?: true }>(
    subscribers
      .command('import')
      .description('add confirmed readers from a CSV file with the columns address and consent')
      .argument('<file>', 'UTF-8 CSV with a header line; "-" reads standard input'),
    ([file]) => importFile(file ?? ''),
  )
}

async function addOne(input: string, consent: string): Promise<Answer> {
  const parsed = parseAddress(input)
  if (!parsed.ok) throw new UsageError(`"${input}" is no address: ${parsed.problem}`)
  if (consent.trim() === '') throw new UsageError('--consent: say where and when they agreed')
  return withNewsletter(async (newsletter) => {
    const outcome = await addSubscriber(newsletter, parsed.address, {
      method: 'by hand',
      detail: consent.trim(),
    })
    return {
      json: { address: parsed.address, outcome },
      lines: [`${parsed.address} ${words[outcome]}.`],
      ok: outcome === 'added' || outcome === 'already confirmed',
    }
  })
}

async function importFile(file: string): Promise<Answer> {
  const source = file === '-' ? process.stdin : await openFile(file)
  return withNewsletter(async (newsletter) => {
    const result = await importSubscribers(newsletter, source)
    if (result.kind === 'unusable') throw new Problem(`${file}: ${result.problem}. Nobody was added.`)
    const { added, known, left, suppressed, refused } = result
    return {
      json: { added, known, left, suppressed, refused: refused.length, refusals: refused },
      lines: [
        ...refused.map(({ line, problem }) => `${file}:${line}: ${problem}`),
        `${added} added, ${known} known already, ${left} left before, ${suppressed} suppressed, ${refused.length} refused`,
      ],
      ok: refused.length === 0,
    }
  })
}

async function openFile(file: string) {
  try {
    await access(file, constants.R_OK)
  } catch {
    throw new Problem(`Cannot read ${file}: there is no such file, or it may not be read. Nobody was added.`)
  }
  return createReadStream(file)
}
