/**
 * Stands in for the SDK's default credential chain in the bundles. Lambda gives a function its credentials in the
 * environment, which is where the chain looks first; what it would try after that (profiles, SSO, STS, instance
 * metadata) never applies, and costs a third of a bundle and a fifth of its time to load.
 */
export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';
