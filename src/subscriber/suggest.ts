import { disposableEmailBlocklistSet } from 'disposable-email-domains-js'
import emailMisspelled, { all, top100 } from 'email-misspelled'

/** What the domain of an address tells before anybody looks at the address itself. */
export type DomainJudgement =
  | { readonly kind: 'fine' }
  | { readonly kind: 'throwaway' }
  /** Probably a slip of the finger; `suggestion` is the whole address, mended. */
  | { readonly kind: 'misspelled'; readonly suggestion: string }

/** Providers that the list of misspellings lacks. */
const alsoCommon = ['icloud.com', 'protonmail.com']
/** Real ones that look like a misspelling of a bigger one. */
const real = new Set([...all, ...alsoCommon, 'email.com', 'gmx.com', 'hotmail.se', 'yahoo.se', 'yahoo.no'])
/** With a short name almost everything is one letter away: `uol.com` is no `aol.com`. */
const common = [...top100, ...alsoCommon].filter((domain) => domain.indexOf('.') >= 5)
const lookAlikes = emailMisspelled({ domains: common, maxMisspelled: 2, lengthDiffMax: 1 })

const throwaway = disposableEmailBlocklistSet()

/**
 * Judges an address by its domain alone, so that the answer tells nothing about who is on the list.
 * Misspellings come first: squatters have put some of them on the list of throwaway mailboxes.
 */
export function judgeDomain(address: string): DomainJudgement {
  const domain = address.slice(address.lastIndexOf('@') + 1)
  const meant = meantBy(domain)
  if (meant) return { kind: 'misspelled', suggestion: address.slice(0, -domain.length) + meant }
  return parentsOf(domain).some((parent) => throwaway.has(parent)) ? { kind: 'throwaway' } : { kind: 'fine' }
}

/** Comparing with every common domain takes longer than all else about a sign-up; few domains have most readers. */
const known = new Map<string, string | undefined>()
const mostKnown = 10_000

function meantBy(domain: string): string | undefined {
  if (real.has(domain)) return undefined
  if (known.has(domain)) return known.get(domain)
  const meant = lookAlikes(`any@${domain}`).find(
    ({ misspelledCount, suggest }) => misspelledCount === 1 || isSwapped(domain, suggest),
  )
  if (known.size >= mostKnown) known.clear()
  known.set(domain, meant?.suggest)
  return meant?.suggest
}

/** `a.b.example.com`, `b.example.com`, `example.com`. */
function parentsOf(domain: string): readonly string[] {
  const labels = domain.split('.')
  return labels.slice(0, -1).map((_, index) => labels.slice(index).join('.'))
}

/** Two letters changed places, the commonest slip of all: the same letters in another order. */
function isSwapped(typed: string, meant: string): boolean {
  return typed.length === meant.length && [...typed].sort().join('') === [...meant].sort().join('')
}
