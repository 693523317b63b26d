import { Resend } from 'resend'

/** How every request to Resend names itself: it answers 403 to those that do not. */
export const userAgent = 'weekly-verdict'

/**
 * Resend's own client. The host is always passed, so `RESEND_BASE_URL` in the environment cannot redirect mail, and its
 * debug output stays off, because it prints addresses.
 */
export function openResendClient(apiKey: string, baseUrl: string): Resend {
  const client = new Resend(apiKey, { baseUrl: hostOf(baseUrl), userAgent })
  Object.assign(client, { debug: false })
  return client
}

/** A base URL without the slash at its end. */
export function hostOf(baseUrl: string): string {
  return baseUrl.replace(/\/+$/, '')
}
