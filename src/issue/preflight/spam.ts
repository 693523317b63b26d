import type { MailDocument } from './document.ts'
import { type Finding, found } from './finding.ts'
import { wordsOf } from './markup.ts'

/**
 * Kinds of phrases that filters still score, in our own words after the body rules of SpamAssassin 4 (rules/20_phrases.cf,
 * 20_advance_fee.cf, 20_drugs.cf, 72_active.cf). Long lists of "trigger words" are left aside: no filter that readers have
 * goes by "free" or "now", and this newsletter writes of prices. There is no kept library of them on npm (2026-11).
 */
const phrases: readonly { readonly kind: string; readonly pattern: RegExp }[] = [
  {
    kind: 'hurry',
    pattern:
      /\b(?:act (?:now|immediately|fast)|order now|buy now|call now|apply now|hurry up|last chance|limited[- ]time offer|offer expires|while supplies last|don['’]t delete)\b/i,
  },
  { kind: 'click', pattern: /\bclick (?:here|below|this link)\b/i },
  {
    kind: 'for nothing',
    pattern:
      /\b(?:100 ?% free|free money|free gift|absolutely free|risk[- ]free|no obligation|no strings attached|no credit card required|money[- ]back guarantee|satisfaction guaranteed)\b/i,
  },
  {
    kind: 'riches',
    pattern:
      /\b(?:make money (?:fast|online|from home)|earn (?:extra|big) (?:cash|money)|extra income|double your (?:money|income)|financial freedom|get rich|million dollars|cash bonus|be your own boss|work from home)\b/i,
  },
  {
    kind: 'prize',
    pattern:
      /\b(?:you(?:['’]ve| have) (?:won|been selected)|you(?:['’]re| are) a winner|claim your (?:prize|reward)|congratulations,? you)\b/i,
  },
  {
    kind: 'address',
    pattern:
      /\b(?:dear (?:friend|sir or madam|valued customer)|this is not spam|bulk e?-?mail|opt-?in list)\b/i,
  },
  {
    kind: 'account',
    pattern:
      /\b(?:verify your account|confirm your password|your account (?:has been|will be) (?:suspended|closed)|update your billing)\b/i,
  },
  {
    kind: 'wares',
    pattern:
      /\b(?:viagra|cialis|weight loss|lose weight|online (?:pharmacy|casino)|cheap (?:meds|watches)|crypto giveaway)\b/i,
  },
]

/** Phrases that put a mail under suspicion, and where they stand. */
export function spamFinding(mail: { subject: string; preheader: string; text: string }): Finding {
  const parts = [
    { name: 'subject', words: mail.subject, place: '#subject' },
    { name: 'preheader', words: mail.preheader, place: '#preheader' },
    { name: 'text', words: mail.text.replace(/\s+/g, ' '), place: '#content' },
  ]
  const met = parts.flatMap(({ name, words, place }) =>
    phrases.flatMap(({ kind, pattern }) => {
      const [phrase] = pattern.exec(words) ?? []
      return phrase ? [{ place, said: `“${phrase}” in the ${name} (${kind})` }] : []
    }),
  )
  const [first] = met
  if (!first) return found('spam', 'pass', `none of the ${phrases.length} kinds that are looked for`)
  return found(
    'spam',
    'warn',
    `${met.length === 1 ? 'one phrase' : `${met.length} phrases`}: ${first.said}`,
    {
      ...{ evidence: met.map(({ said }) => said), place: first.place },
    },
  )
}

/** A link for fewer words than this, or less of the html being words, is how advertising looks (SpamAssassin, 20_html_tests.cf). */
const leastWordsPerLink = 15
const leastShareOfWords = 0.06
const leastWordsPerImage = 80

/** How much of a mail is words, how much links, images and markup. */
export function ratiosFinding(
  document: MailDocument,
  { html, text }: { html: string; text: string },
): Finding {
  const said = wordsOf(html).replace(/\s+/g, ' ').trim()
  const words = said.split(' ').length
  const links = document.querySelectorAll('a[href]:not([aria-hidden])').length
  const images = document.querySelectorAll('img').length
  const share = Buffer.byteLength(said) / Buffer.byteLength(html)
  const evidence = [
    `${words} words, ${links} links, ${images} images`,
    `${(share * 100).toFixed(0)} % of the html is words`,
    `text part: ${text.length} characters`,
  ]
  const faults = [
    ...(links > 0 && words / links < leastWordsPerLink
      ? [`a link for every ${Math.round(words / links)} words`]
      : []),
    ...(share < leastShareOfWords ? [`only ${(share * 100).toFixed(1)} % of the html is words`] : []),
    ...(images > 0 && words / images < leastWordsPerImage
      ? [`an image for every ${Math.round(words / images)} words`]
      : []),
    ...(text.length < said.length / 3 ? ['the text part is much shorter than the html'] : []),
  ]
  return faults.length === 0
    ? found(
        'ratios',
        'pass',
        `${words} words with ${links} links; ${(share * 100).toFixed(0)} % of the html is words`,
        { evidence },
      )
    : found('ratios', 'warn', faults.join('; '), { evidence })
}
