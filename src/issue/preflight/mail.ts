import type { Mail } from '../../mail/email.ts'
import { type Finding, found } from './finding.ts'
import { leftovers, type Published } from './leftovers.ts'
import { addressesIn, squeezed, unescaped, wordsOf } from './markup.ts'

/** Gmail cuts a mail at about 102 KB and hides what comes after, the way out included (RELIABILITY 2.5). */
export const sizeLimits = { warn: 90_000, block: 102_400 } as const

/** One kind of reader's mail as it would leave, by what that kind is called: "everybody", "those who follow 2 of 6". */
export type KindOfMail = Pick<Mail, 'subject' | 'html' | 'text' | 'headers'> & {
  readonly kind: string
  readonly preheader: string
}

/** What a mail is measured against. */
export type MailRules = {
  readonly publicUrl: string
  readonly postalAddress: string
  /** The address of a set-up for development: in a mail it is no address, whatever is set now. */
  readonly inventedAddress: string
  /** Whether a token for leaving the list is one that we made and would take. */
  readonly isOurToken: (token: string) => boolean
  readonly published: Published
  /** The links of ours that lead nowhere, each with the reason. */
  readonly dead: ReadonlyMap<string, string>
}

/** How heavy one kind of mail is, in bytes of its html. */
export type Weight = { readonly kind: string; readonly bytes: number }

/** The lines that every single mail has to pass, whichever kind of reader it is for; its weight is one of them all. */
export function mailFindings(mail: KindOfMail, rules: MailRules): readonly Finding[] {
  return [
    linksOf(mail, rules),
    leftovers(mail, rules.published),
    wayOut(mail, rules),
    postalAddress(mail, rules),
  ]
}

export function weigh({ kind, html }: KindOfMail): Weight {
  return { kind, bytes: Buffer.byteLength(html) }
}

/** The heaviest of all kinds of mail, however many they are. */
export function sizeFinding(weights: readonly [Weight, ...Weight[]]): Finding {
  const [heaviest = weights[0], ...others] = weights.toSorted((a, b) => b.bytes - a.bytes)
  const { kind, bytes } = heaviest
  const level = bytes > sizeLimits.block ? 'block' : bytes > sizeLimits.warn ? 'warn' : 'pass'
  const cut = `Gmail cuts at about ${grouped(sizeLimits.block)}`
  const what =
    level === 'pass'
      ? `html is ${grouped(bytes)} bytes at most; ${cut}`
      : `html is ${grouped(bytes)} bytes for ${kind}; ${cut} and hides the rest, the way out with it`
  const evidence = [heaviest, ...others.slice(0, 2)].map((one) => `${one.kind}: ${grouped(one.bytes)} bytes`)
  return found('size', level, what, { evidence })
}

function linksOf({ html, text, kind }: KindOfMail, { dead }: MailRules): Finding {
  const urls = [...new Set(addressesIn(html).map(({ url }) => url))]
  const bad = urls.flatMap((url) => {
    const why = dead.get(url) ?? whyMalformed(url)
    return why ? [`${url || 'an empty link'}: ${why}`] : []
  })
  const missing = [...new Set(text.match(/https?:\/\/[^\s<>]+/g))].filter((url) => dead.has(url))
  const wrong = [
    ...bad,
    ...missing.filter((url) => !urls.includes(url)).map((url) => `${url}: ${dead.get(url)}`),
  ]
  const slug = wrong
    .map((one) => /it leads to \S*\/compare\/([\w-]+)/.exec(one)?.[1])
    .find((one) => one !== undefined)
  if (wrong.length === 0) {
    const hosts = [...new Set(urls.map((url) => hostOf(url)))].filter((host) => host !== '')
    return found('links', 'pass', `${urls.length} links, all of them well-formed; ours lead somewhere`, {
      evidence: hosts,
    })
  }
  const [first = ''] = wrong
  const what = `${wrong.length === 1 ? 'a link leads nowhere' : `${wrong.length} links lead nowhere`} (${kind}): ${first}`
  return found('links', 'block', what, { evidence: wrong, place: slug ? `#comparison-${slug}` : '#content' })
}

/** Why an address cannot stand in a mail; undefined when it can. */
export function whyMalformed(url: string): string | undefined {
  if (url === '') return 'it has no address'
  if (/[\s<>"\\\u0000-\u001f]/.test(url)) return 'it has characters that no address may have'
  if (/^mailto:[^\s@]+@[^\s@]+$/i.test(url)) return undefined
  if (!/^https?:\/\//i.test(url)) return 'it is neither https:// nor http:// nor mailto:'
  if (!URL.canParse(url)) return 'it is no address'
  const { username, password, hostname } = new URL(url)
  if (username || password) return 'it names a user before its host'
  return hostname.includes('.') || hostname === 'localhost' ? undefined : 'its host is no domain'
}

function wayOut({ html, text, headers, kind }: KindOfMail, { publicUrl, isOurToken }: MailRules): Finding {
  const url = /^<([^<>\s]+)>$/.exec(headers['List-Unsubscribe'] ?? '')?.[1] ?? ''
  const base = `${publicUrl.replace(/\/$/, '')}/unsubscribe/`
  const faults = [
    ...(url === '' ? ['the header List-Unsubscribe has no link'] : []),
    ...(url !== '' && !(url.startsWith(base) && isOurToken(url.slice(base.length)))
      ? ['its link is not one that we would take']
      : []),
    ...(headers['List-Unsubscribe-Post'] === 'List-Unsubscribe=One-Click'
      ? []
      : ['the header List-Unsubscribe-Post is not there']),
    ...(addressesIn(html).some((link) => link.tag === 'a' && link.url === url)
      ? []
      : ['no link in the html']),
    ...(url !== '' && text.includes(url) ? [] : ['no link in the text']),
  ]
  return faults.length === 0
    ? found(
        'unsubscribe',
        'pass',
        'the unsubscribe link is in both parts and in the headers, and it is ours',
        {
          evidence: [kind],
          place: 'SIGNING_KEYS',
        },
      )
    : found(
        'unsubscribe',
        'block',
        `the unsubscribe link is missing or not ours (${kind}): ${faults.join(', ')}`,
        {
          evidence: faults,
          place: 'SIGNING_KEYS',
        },
      )
}

/**
 * Every mail has a postal address in both parts (CAN-SPAM, 15 U.S.C. 7704(a)(5)(A)(iii)). An approved edition keeps the
 * one that it was set with, which was valid then: that another is set now is said with both of them, and the editor decides.
 */
function postalAddress({ html, text, kind }: KindOfMail, rules: MailRules): Finding {
  const address = squeezed(unescaped(rules.postalAddress))
  const isIn = (part: string) => address !== '' && squeezed(part).includes(address)
  const without = [...(isIn(wordsOf(html)) ? [] : ['html']), ...(isIn(text) ? [] : ['text'])]
  const place = 'POSTAL_ADDRESS'
  if (without.length === 0)
    return found('postal-address', 'pass', 'the postal address is in both parts', {
      ...{ evidence: [rules.postalAddress], place },
    })
  const former = addressPrinted(html, text)
  if (former && squeezed(former) !== squeezed(rules.inventedAddress))
    return found(
      'postal-address',
      'warn',
      'it has another postal address than is set now: where the former is yours no more, draft it again',
      { evidence: [`in the mail: ${former}`, `set now: ${rules.postalAddress}`], place },
    )
  return found(
    'postal-address',
    'block',
    `the postal address is not in the ${without.join(' and the ')} (${kind})`,
    { evidence: without, place },
  )
}

/** The words below the last link of a mail, where its postal address stands, if both parts have the same there. */
function addressPrinted(html: string, text: string): string | undefined {
  const below = wordsOf(html.slice(html.lastIndexOf('</a>')))
  const printed = (text.split(/https?:\/\/\S+/).at(-1) ?? '').replace(/\s+/g, ' ').trim()
  return printed !== '' && squeezed(below) === squeezed(printed) ? printed : undefined
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : ''
}

function grouped(count: number): string {
  return count.toLocaleString('en-GB')
}
