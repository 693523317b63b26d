import { type Config, developmentDefaults } from '../config.ts'
import { type Finding, found, type Level } from '../issue/preflight/finding.ts'
import type { WireFacts } from '../mail/wire.ts'
import type { SigningKey } from '../subscriber/token.ts'

/** What of the configuration a sender is judged by. */
export type SenderConfig = Pick<
  Config,
  'production' | 'publicUrl' | 'postalAddress' | 'webhookSecrets' | 'signingKeys' | 'mail'
>

type Facts = {
  readonly wire: WireFacts
  readonly listId: string
  readonly keys: readonly SigningKey[]
  readonly config?: SenderConfig | undefined
}

type Fault = { readonly level: Exclude<Level, 'pass'>; readonly place: string; readonly what: string }

/**
 * Sender, domain and keys, by the facts that `verdict doctor` checks. Outside production nothing leaves the machine
 * (RELIABILITY S27), so there a development value is only worth a look.
 */
export function senderFinding(facts: Facts): Finding {
  const faults = [...ofKeys(facts), ...ofDomain(facts), ...ofConfig(facts)]
  const [first] = faults.toSorted((a, b) => Number(b.level === 'block') - Number(a.level === 'block'))
  const evidence = [`from ${facts.wire.from}`, `List-Id ${facts.listId}`, `links to ${facts.wire.publicUrl}`]
  if (!first) return found('sender', 'pass', `${facts.wire.from}`, { evidence, place: 'MAIL_FROM' })
  const more = faults.length > 1 ? `, and ${faults.length - 1} more` : ''
  return found('sender', first.level, `${first.what}${more}`, {
    evidence: [...faults.map(({ place, what }) => `${place}: ${what}`), ...evidence],
    place: first.place,
  })
}

function ofKeys({ keys }: Facts): readonly Fault[] {
  if (keys.length > 0) return []
  return [{ level: 'block', place: 'SIGNING_KEYS', what: 'there is no key to sign links with' }]
}

/** RFC 2919: the list's name is under a domain that its owner has. */
function ofDomain({ wire, listId, config }: Facts): readonly Fault[] {
  const domain = (/@([^>\s]+)>?$/.exec(wire.from)?.[1] ?? '').toLowerCase()
  const level = config?.production ? 'block' : 'warn'
  const isInvented = /(?:^|\.)(?:example\.(?:com|net|org)|example|test|invalid|localhost|local)$/.test(domain)
  return [
    ...(domain === ''
      ? [{ level: 'block' as const, place: 'MAIL_FROM', what: 'the sender has no domain' }]
      : []),
    ...(config && isInvented ? [{ level, place: 'MAIL_FROM', what: `nobody owns ${domain}` } as const] : []),
    ...(`.${listId}`.endsWith(`.${domain}`)
      ? []
      : [{ level: 'block' as const, place: 'MAIL_FROM', what: `List-Id ${listId} is not under ${domain}` }]),
  ]
}

function ofConfig({ wire, config }: Facts): readonly Fault[] {
  if (!config) return []
  const { mail, production } = config
  const level = production ? 'block' : 'warn'
  const faults: readonly (Fault | false)[] = [
    mail.transport === 'outbox' && {
      level,
      place: 'MAIL_TRANSPORT',
      what: 'mail is kept in files and leaves nowhere',
    },
    config.postalAddress === developmentDefaults.POSTAL_ADDRESS && {
      ...{ level, place: 'POSTAL_ADDRESS', what: 'the development value; the law wants a real one' },
    },
    !wire.publicUrl.startsWith('https://') && {
      ...{ level, place: 'PUBLIC_URL', what: `${wire.publicUrl} is not https (RFC 8058)` },
    },
    !config.signingKeys && {
      ...{
        level,
        place: 'SIGNING_KEYS',
        what: 'generated for this machine only: its links stop working on another',
      },
    },
    mail.transport === 'resend' &&
      config.webhookSecrets.length === 0 && {
        ...{ level: 'warn', place: 'RESEND_WEBHOOK_SECRET', what: 'bounces and complaints are not heard' },
      },
    mail.transport === 'smtp' &&
      !mail.dkim && {
        ...{
          level: 'warn',
          place: 'DKIM_PRIVATE_KEY',
          what: 'nothing is signed here: does the server sign?',
        },
      },
  ]
  return faults.filter((fault) => fault !== false)
}
