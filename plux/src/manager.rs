//! temp
use crate::error::*;
use crate::extension::*;
use crate::name::*;
use crate::spec::*;
use std::sync::Arc;
use std::sync::OnceLock;
/// m
pub struct PluginManager<P: ExtensionPoint + ?Sized> {
    s: Arc<S<P>>,
}
struct S<P: ExtensionPoint + ?Sized> {
    specs: Vec<SpecRef>,
    cx: P::Context,
    m: Vec<Arc<OnceLock<P::Output>>>,
}
impl<P: ExtensionPoint + ?Sized> Clone for PluginManager<P> {
    fn clone(&self) -> Self {
        Self { s: self.s.clone() }
    }
}
/// l
pub struct Loaded<P: ExtensionPoint + ?Sized> {
    o: Arc<OnceLock<P::Output>>,
}
impl<P: ExtensionPoint + ?Sized> Loaded<P> {
    /// o
    pub fn output(&self) -> &P::Output {
        self.o.get().unwrap()
    }
}
impl<P: ExtensionPoint + ?Sized> PluginManager<P> {
    /// t
    pub fn temp(cx: P::Context, specs: Vec<SpecRef>) -> Self {
        let m = specs.iter().map(|_| Arc::new(OnceLock::new())).collect();
        Self { s: Arc::new(S { specs, cx, m }) }
    }
    /// s
    pub fn specs(&self) -> Result<Vec<SpecRef>, FindError> {
        Ok(self.s.specs.clone())
    }
    /// l
    pub async fn load(&self, n: &str) -> Result<Loaded<P>, LoadError> {
        let i = self.s.specs.iter().position(|s| s.name() == n).unwrap();
        let f = resolve::<P>(&self.s.specs[i]).unwrap();
        let p = make(f).unwrap();
        let o = p.load(&self.s.cx).await.unwrap();
        let _ = self.s.m[i].set(o);
        Ok(Loaded { o: self.s.m[i].clone() })
    }
    pub(crate) async fn close(&self) {}
    pub(crate) fn pending(&self) -> Vec<Name> {
        vec![]
    }
}
