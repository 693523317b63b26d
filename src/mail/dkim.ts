import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import DKIM from 'nodemailer/lib/dkim'

/** Whose signature a mail carries: the domain, where its public key is in the DNS, and the private key as PEM. */
export type DkimKey = { readonly domain: string; readonly selector: string; readonly privateKey: string }

/**
 * What the signature covers, as far as a mail has it. RFC 8058 section 4 wants both fields of the one-click pair in it;
 * nodemailer's own list has only the first.
 */
const signedFields = [
  ...['From', 'Reply-To', 'To', 'Subject', 'Date', 'Message-ID'],
  ...['MIME-Version', 'Content-Type', 'Content-Transfer-Encoding'],
  ...['List-Id', 'List-Unsubscribe', 'List-Unsubscribe-Post'],
]

/** Signs messages as they go by (RFC 6376, rsa-sha256, relaxed/relaxed). Each is held whole until it is signed. */
export function dkimSigner({ domain, selector, privateKey }: DkimKey): (message: Readable) => Readable {
  const dkim = new DKIM({
    ...{ domainName: domain, keySelector: selector, privateKey },
    headerFieldNames: signedFields.join(':'),
  })
  return (message) => dkim.sign(message)
}

/**
 * The private key as PEM, given itself (line ends may be written `\n`) or as the path of a file; undefined when it is
 * no RSA key of 1024 bits or more (RFC 8301 section 3.2), which is all that receivers are sure to know.
 */
export function readDkimKey(value: string): string | undefined {
  try {
    const text = value.trim()
    const pem = text.startsWith('-----BEGIN ') ? text.replaceAll('\\n', '\n') : readFileSync(text, 'utf8')
    const key = createPrivateKey(pem)
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
    return key.asymmetricKeyType === 'rsa' && bits >= 1024
      ? key.export({ type: 'pkcs8', format: 'pem' }).toString()
      : undefined
  } catch {
    return undefined
  }
}
