function multifactorAuthentication(user, context, callback) {

  //If it is a device of type=display & it is a refresh, skip MFA
  if(context.clientMetadata && 
     context.clientMetadata.device_type && 
     context.clientMetadata.device_type ==='display' &&
     context.protocol === 'oauth2-refresh-token'){
    return callback(null, user, context);
  }
  
  context.multifactor = {
    provider: 'any',
    allowRememberBrowser: false
  };
  
  callback(null, user, context);
}
