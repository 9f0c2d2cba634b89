/**
 * Replaces the SDK's default credential chain in the bundles. Lambda gives a function its credentials in the
 * environment, where the chain looks first. The rest of the chain (profiles, SSO, STS, instance metadata) never
 * applies. It would take a third of a bundle and a fifth of its load time.
 */
export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';
